/** The gadgets' metrics as pages, streamed. */

import type { MetricSet } from "../metrics/mod.ts";
import { type BodySource, PageBody, WriterPool } from "./body_source.ts";
import { Family, openMetricsName } from "./_family.ts";
import { LabelArena } from "./_label_arena.ts";
import { type Candidate, refuseClashes } from "./_name_clashes.ts";
import type { ExpositionFormat } from "./_number_text.ts";
import { Pace } from "./pace.ts";
import { NO_EXTRAS, type SampleExtras } from "./_sample_writer.ts";
import { type ArenaEntry, Page, type PageState } from "./page.ts";
import { type LabelColumn, translateLabels, translateMetricName } from "./prometheus_names.ts";
import { type FamilyRegistry, RegistryFamily } from "./registry_family.ts";

export type { ExpositionFormat, TextExposition } from "./_number_text.ts";

const RESERVED_LABELS = [
  "otel_scope_name",
  "otel_scope_version",
  "otel_scope_schema_url",
  "otel_metric_overflow",
];

/** Content type of each format, as Prometheus 3 demands it. */
export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
  protobuf:
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
};

/** Options of an {@linkcode Exposition}. */
export interface ExpositionOptions {
  /** Put before every metric name, joined by `_`. */
  readonly metricsPrefix?: string;
  /** OpenMetrics has a `_created` sample for each counter and histogram: a second series in Prometheus. */
  readonly createdSamples?: boolean;
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

/** Holds metric sets and renders them as Prometheus text, OpenMetrics or protobuf. */
export class Exposition {
  readonly #options: ExpositionOptions;
  readonly #entries = new Map<MetricSet, ArenaEntry & { removed: boolean }>();
  readonly #families = new Map<string, Family>();
  readonly #use = { pace: new Pace(), writers: new WriterPool() };

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

    const columns = labelColumnsOf(set);
    const entry = {
      set,
      labels: new LabelArena(set, columns),
      protobufLabels: new LabelArena(set, columns, "protobuf"),
      removed: false,
    };
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
    for (const { labels, protobufLabels } of this.#entries.values()) {
      total += labels.sizeBytes + protobufLabels.sizeBytes;
    }
    return total;
  }

  /**
   * Begins a page that is written as it is read, and lets other work have its turn meanwhile. Sets that
   * are added later are not on it, removed ones leave it.
   */
  openBody(format: ExpositionFormat, options: RenderOptions = {}): BodySource {
    return new PageBody(this.#openPage(format, options), this.#use);
  }

  #openPage(format: ExpositionFormat, { trailer }: RenderOptions = {}): Page {
    for (const { labels, protobufLabels } of this.#entries.values()) {
      labels.dropWaste();
      protobufLabels.dropWaste();
    }
    const tail = trailer === undefined ? [] : [trailer];
    if (format === "openmetrics") tail.push(new TextEncoder().encode("# EOF\n"));
    return new Page({
      format,
      sets: [...this.#entries.values()],
      families: [...this.#families.values()].map((family) => ({
        family,
        members: [...family.members],
      })),
      headerOf: (family) => this.#header(family, format),
      extrasOf: (family) => this.#extras(family, format),
      tail,
      onError: (failure) => this.#options.onError?.(failure),
    });
  }

  /** Renders one page at once, in chunks that end between label sets. Ownership: a chunk is lent until the next is asked for. */
  *render(
    format: ExpositionFormat,
    options: RenderOptions = {},
  ): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    const { writers } = this.#use;
    const out = writers.take();
    try {
      const page = this.#openPage(format, options);
      for (let state: PageState = "under way"; state !== "ended";) {
        state = page.writeTo(out);
        if (state === "under way") continue;
        if (out.position > 0) yield out.written();
        out.clear();
      }
    } finally {
      writers.giveBack(out);
    }
  }

  /** About how many sample lines a page has: dead series are counted too. */
  get approximateLines(): number {
    let lines = 0;
    for (const { set } of this.#entries.values()) {
      for (const instrument of set.instruments) {
        const column = instrument.column();
        lines += set.seriesCount *
          (column.kind === "histogram" ? column.upperBounds.length + 3 : 1);
      }
    }
    return lines;
  }

  #extras(family: Family, format: ExpositionFormat): SampleExtras {
    if (format !== "openmetrics" || this.#isNameTaken(family)) return NO_EXTRAS;
    const created = this.#options.createdSamples === true && family.type !== "gauge" &&
      !this.#families.has(`${openMetricsName(family)}_created`);
    return { created, exemplars: true };
  }

  /** True if another family is called `x` where this is `x_total`. */
  #isNameTaken(family: Family): boolean {
    const name = openMetricsName(family);
    return name !== family.name && this.#families.has(name);
  }

  #header(family: Family, format: ExpositionFormat): Uint8Array {
    if (format === "protobuf") return family.protobufHeader();
    const header = family.header(format, { openMetricsNameTaken: this.#isNameTaken(family) });
    return new TextEncoder().encode(header);
  }
}

/** A set's labels as they stand on the page. */
export function labelColumnsOf(set: MetricSet): LabelColumn[] {
  const reserved = new Set(RESERVED_LABELS);
  if (set.instruments.some((instrument) => instrument.type === "histogram")) reserved.add("le");
  return translateLabels(set.labelNames, reserved);
}
