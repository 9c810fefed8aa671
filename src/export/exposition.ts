/** The gadgets' metrics as pages of text, streamed. */

import type { MetricSet } from "../metrics/mod.ts";
import { ByteWriter } from "./_byte_writer.ts";
import { Family, openMetricsName, type SetEntry } from "./_family.ts";
import { LabelArena } from "./_label_arena.ts";
import { type Candidate, refuseClashes } from "./_name_clashes.ts";
import type { TextExposition } from "./_number_text.ts";
import { nextLive, writeSamples } from "./_sample_writer.ts";
import { translateLabels, translateMetricName } from "./prometheus_names.ts";
import { type FamilyRegistry, RegistryFamily } from "./registry_family.ts";

export type { TextExposition } from "./_number_text.ts";

const CHUNK_BYTES = 256 * 1024;

const RESERVED_LABELS = [
  "otel_scope_name",
  "otel_scope_version",
  "otel_scope_schema_url",
  "otel_metric_overflow",
];

/** Content type of each format, as Prometheus 3 demands it. */
export const CONTENT_TYPES: Readonly<Record<TextExposition, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
};

/** Options of an {@linkcode Exposition}. */
export interface ExpositionOptions {
  /** Put before every metric name, joined by `_`. */
  readonly metricsPrefix?: string;
  /** Gets an object per family: prom-client's Registry is the registry of record. */
  readonly registry?: FamilyRegistry;
  /** A set that fails while it is rendered is left out of that page and reported here. */
  readonly onError?: (failure: { scope: string; error: unknown }) => void;
}

/** Options of {@linkcode Exposition.render}. */
export interface RenderOptions {
  /** Whole families in the same format, put behind the gadgets'. */
  readonly trailer?: Uint8Array;
}

/** Holds metric sets and renders them as Prometheus text or OpenMetrics. */
export class Exposition {
  readonly #options: ExpositionOptions;
  readonly #entries = new Map<MetricSet, SetEntry>();
  readonly #families = new Map<string, Family>();
  /** Kept between scrapes so that a scrape allocates no buffer. */
  #spareWriter: ByteWriter | undefined;

  constructor(options: ExpositionOptions = {}) {
    this.#options = options;
  }

  /**
   * Adds a set; it is part of every page that starts from now on.
   *
   * Throws: `UsageError` if one of its names cannot stand beside what is there. Nothing is added then.
   */
  add(set: MetricSet): void {
    if (this.#entries.has(set)) throw new Error(`BUG: metric set "${set.scope}" added twice`);
    const candidates: Candidate[] = set.instruments.map((instrument) => ({
      instrument,
      translated: translateMetricName(instrument, this.#options.metricsPrefix),
    }));
    refuseClashes(set, { candidates, families: this.#families.values() });

    const reserved = new Set(RESERVED_LABELS);
    if (set.instruments.some((instrument) => instrument.type === "histogram")) reserved.add("le");
    const labels = new LabelArena(set, translateLabels(set.labelNames, reserved));
    const entry: SetEntry = { set, labels, removed: false };
    this.#entries.set(set, entry);
    for (const { instrument, translated } of candidates) {
      let family = this.#families.get(translated.name);
      if (family === undefined) {
        family = new Family(translated, instrument.type);
        this.#families.set(family.name, family);
        this.#options.registry?.registerMetric(new RegistryFamily(family));
      }
      family.members.push({ entry, instrument });
    }
  }

  /** Takes a set out and drops its label bytes; also pages under way stop reading it. */
  remove(set: MetricSet): void {
    const entry = this.#entries.get(set);
    if (entry === undefined) return;
    entry.removed = true;
    this.#entries.delete(set);
    for (const family of [...this.#families.values()]) {
      const kept = family.members.filter((member) => member.entry !== entry);
      family.members.splice(0, family.members.length, ...kept);
      if (kept.length > 0) continue;
      this.#families.delete(family.name);
      this.#options.registry?.removeSingleMetric(family.name);
    }
  }

  /** Names of the families that a set feeds, as they stand on the page. */
  familyNames(set: MetricSet): string[] {
    return [...this.#families.values()]
      .filter((family) => family.members.some((member) => member.entry.set === set))
      .map((family) => family.name);
  }

  /** Bytes held for ready labels. */
  get labelBytes(): number {
    let total = 0;
    for (const { labels } of this.#entries.values()) total += labels.sizeBytes;
    return total;
  }

  /**
   * Renders one page, in chunks of about 256 KB that end between label sets.
   *
   * Values are read when their chunk is made, so that a slow reader delays nobody.
   * Ownership: a chunk is lent until the next one is asked for; copy it to keep it.
   */
  *render(
    format: TextExposition,
    options: RenderOptions = {},
  ): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const out = this.#spareWriter ?? new ByteWriter(CHUNK_BYTES);
    this.#spareWriter = undefined;
    const failed = new Set<SetEntry>();
    try {
      for (const { labels } of this.#entries.values()) labels.dropWaste();
      for (const family of [...this.#families.values()]) {
        yield* this.#renderFamily(out, { family, format, failed });
      }
      if (options.trailer !== undefined) {
        yield* flush(out);
        yield options.trailer.slice();
      }
      if (format === "openmetrics") yield* this.#renderText(out, "# EOF\n");
      yield* flush(out);
    } finally {
      out.clear();
      this.#spareWriter = out;
    }
  }

  *#renderFamily(
    out: ByteWriter,
    page: { family: Family; format: TextExposition; failed: Set<SetEntry> },
  ): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const { family, format, failed } = page;
    let hasHeader = false;
    for (const member of [...family.members]) {
      const { entry } = member;
      try {
        let from = 0;
        while (!entry.removed && !failed.has(entry)) {
          from = nextLive(entry.set, from);
          if (from >= entry.set.seriesCount) break;
          if (hasHeader) {
            from = writeSamples(out, { family, member, format, from });
            if (from < entry.set.seriesCount) yield* flush(out);
          } else {
            hasHeader = true;
            yield* this.#renderText(out, this.#header(family, format));
          }
        }
      } catch (error) {
        // What was written of the set are whole lines: they stay.
        failed.add(entry);
        this.#options.onError?.({ scope: entry.set.scope, error });
      }
    }
  }

  #header(family: Family, format: TextExposition): string {
    const name = openMetricsName(family);
    return family.header(format, {
      openMetricsNameTaken: name !== family.name && this.#families.has(name),
    });
  }

  *#renderText(
    out: ByteWriter,
    text: string,
  ): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const bytes = new TextEncoder().encode(text);
    if (!out.hasRoom(bytes.length)) yield* flush(out);
    if (!out.hasRoom(bytes.length)) out.grow(bytes.length);
    out.bytes(bytes);
  }
}

/** Yields what is in the buffer, if anything, and empties it. */
function* flush(out: ByteWriter): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  if (out.position === 0) return;
  yield out.written();
  out.clear();
}
