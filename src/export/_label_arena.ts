/** Ready label bytes of one metric set: made once per series, copied at every scrape. */

import type { MetricSet } from "../metrics/mod.ts";
import { type ByteRun, COPY_SLACK_BYTES } from "./_byte_writer.ts";
import { encodeLabelPairs, maxLabelPairBytes } from "./_protobuf_labels.ts";
import type { LabelColumn } from "./prometheus_names.ts";

const CHUNK_BITS = 18;
const MAX_CHUNK_BYTES = 1 << CHUNK_BITS;
const FIRST_CHUNK_BYTES = 16 * 1024;
const MIN_WASTE_BYTES = 64 * 1024;

/** Worst case of UTF-8 for one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * `ig` exports `otel_scope_version` and `otel_scope_schema_url` too, both empty. Prometheus takes an
 * empty label for an absent one: without them its series are the same, and a page a quarter smaller.
 */
const SCOPE_LABEL = "otel_scope_name";

const encoder = new TextEncoder();

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Label bytes of each series. As text `{otel_scope_name="…",comm="…"`: the closing brace is missing so
 * that histograms can add `le`. As protobuf the LabelPair fields of a Metric; empty ones are left out.
 *
 * Layout: blocks lie in chunks. A block's position is `chunk << 18 | offset`; only a block larger than
 * a chunk has a chunk of its own size, and that starts at offset 0.
 */
export class LabelArena {
  readonly #set: MetricSet;
  readonly #columns: readonly LabelColumn[];
  readonly #isProtobuf: boolean;
  /** What the block of each series begins with. */
  readonly #scopeText: string;
  #chunks: Chunk[] = [];
  #usedOfLastBytes = 0;
  #builtCount = 0;
  #totalBytes = 0;
  #wastedBytes = 0;
  #positions = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  /** Generation whose labels the block holds, plus 1; 0 where there is no block. */
  #generations = new Uint32Array(0);
  readonly #cursor: Writable<ByteRun> = {
    view: new DataView(new ArrayBuffer(0)),
    offsetBytes: 0,
    lengthBytes: 0,
  };

  constructor(
    set: MetricSet,
    columns: readonly LabelColumn[],
    form: "text" | "protobuf" = "text",
  ) {
    this.#isProtobuf = form === "protobuf";
    this.#set = set;
    this.#columns = columns;
    this.#scopeText = `{${SCOPE_LABEL}="${escapeLabelValue(set.scope)}"`;
  }

  /**
   * The label bytes of a live series, or `undefined` if it is no longer what it was in `generation`:
   * labels that were read while the key was rewritten are not kept.
   *
   * Ownership: one cursor, overwritten by the next call.
   * Cost: about 1 µs when the series is new or was allotted anew.
   */
  at(series: number, generation: number): ByteRun | undefined {
    if (series >= this.#generations.length) this.#reserve(series + 1);
    if (this.#generations[series] !== generation + 1 && !this.#build(series, generation)) {
      return undefined;
    }
    const position = this.#positions[series];
    const cursor = this.#cursor;
    cursor.view = this.#chunks[position >>> CHUNK_BITS].view;
    cursor.offsetBytes = position & (MAX_CHUNK_BYTES - 1);
    cursor.lengthBytes = this.#lengths[series];
    return cursor;
  }

  /** Names and unescaped values of a live series' labels. */
  labelsOf(series: number): [name: string, value: string][] {
    const labels: [string, string][] = [[SCOPE_LABEL, this.#set.scope]];
    if (this.#set.isOverflow(series)) return [...labels, ["otel_metric_overflow", "true"]];
    const values = this.#set.labelValues(series);
    for (const { name, sources } of this.#columns) labels.push([name, joinValues(values, sources)]);
    return labels;
  }

  /** Label sets ever made. */
  get builtCount(): number {
    return this.#builtCount;
  }

  /** Bytes held for labels, waste included. */
  get sizeBytes(): number {
    return this.#totalBytes;
  }

  /** Starts afresh if more is held for former owners of series than for present ones. */
  dropWaste(): void {
    if (this.#wastedBytes < MIN_WASTE_BYTES || this.#wastedBytes * 2 < this.#totalBytes) return;
    this.#chunks = [];
    this.#totalBytes = 0;
    this.#wastedBytes = 0;
    this.#generations.fill(0);
  }

  #reserve(count: number): void {
    const capacity = Math.max(64, 2 * this.#generations.length, count, this.#set.seriesCount);
    const generations = new Uint32Array(capacity);
    generations.set(this.#generations);
    const positions = new Uint32Array(capacity);
    positions.set(this.#positions);
    const lengths = new Uint32Array(capacity);
    lengths.set(this.#lengths);
    this.#generations = generations;
    this.#positions = positions;
    this.#lengths = lengths;
  }

  /** False, and nothing kept, if the series went to another key meanwhile. */
  #build(series: number, generation: number): boolean {
    this.#builtCount++;
    const labels = this.#isProtobuf ? this.labelsOf(series) : this.#text(series);
    if (this.#set.generation(series) !== generation) return false;
    const maxBytes = typeof labels === "string"
      ? labels.length * MAX_BYTES_PER_UNIT
      : maxLabelPairBytes(labels);
    const chunk = this.#chunkWithRoom(maxBytes + COPY_SLACK_BYTES);
    const offset = this.#usedOfLastBytes;
    const target = chunk.bytes.subarray(offset);
    // A lone surrogate becomes U+FFFD here: one invalid byte would cost the whole scrape.
    const written = typeof labels === "string"
      ? encoder.encodeInto(labels, target).written
      : encodeLabelPairs(labels, target);
    if (this.#generations[series] !== 0) this.#wastedBytes += this.#lengths[series];
    this.#positions[series] = (((this.#chunks.length - 1) << CHUNK_BITS) | offset) >>> 0;
    this.#lengths[series] = written;
    this.#generations[series] = generation + 1;
    this.#usedOfLastBytes = offset + written;
    return true;
  }

  #chunkWithRoom(sizeBytes: number): Chunk {
    const last = this.#chunks.at(-1);
    const offset = this.#usedOfLastBytes;
    // In a chunk larger than usual, a second block could start where its position cannot say so.
    const canPoint = offset < MAX_CHUNK_BYTES;
    if (last !== undefined && canPoint && last.bytes.length - offset >= sizeBytes) return last;
    const usualBytes = Math.min(
      MAX_CHUNK_BYTES,
      FIRST_CHUNK_BYTES << Math.min(this.#chunks.length, 4),
    );
    const bytes = new Uint8Array(Math.max(usualBytes, sizeBytes));
    const chunk = { bytes, view: new DataView(bytes.buffer) };
    this.#chunks.push(chunk);
    this.#totalBytes += bytes.length;
    this.#usedOfLastBytes = 0;
    return chunk;
  }

  #text(series: number): string {
    if (this.#set.isOverflow(series)) return `${this.#scopeText},otel_metric_overflow="true"`;
    const values = this.#set.labelValues(series);
    let text = this.#scopeText;
    for (const { name, sources } of this.#columns) {
      text += `,${name}="${escapeLabelValue(joinValues(values, sources))}"`;
    }
    return text;
  }
}

function joinValues(values: readonly string[], sources: readonly number[]): string {
  return sources.length === 1
    ? values[sources[0]]
    : sources.map((index) => values[index]).join(";");
}

/** Escapes a label value for both text formats. */
export function escapeLabelValue(value: string): string {
  if (!/[\\\n"]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
