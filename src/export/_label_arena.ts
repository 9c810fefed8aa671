/** Ready label bytes of one metric set: made once per series, copied at every scrape. */

import type { MetricSet } from "../metrics/mod.ts";
import { type ByteRun, COPY_SLACK_BYTES } from "./_byte_writer.ts";
import type { SeriesLabels } from "./_family.ts";
import { LabelTable } from "./_label_table.ts";
import { MergedSeries, type MergedSet } from "./_merged_series.ts";
import { encodeLabelPairs, maxLabelPairBytes } from "./_protobuf_labels.ts";
import type { LabelColumn } from "./prometheus_names.ts";

const CHUNK_BITS = 18;
const MAX_CHUNK_BYTES = 1 << CHUNK_BITS;
const FIRST_CHUNK_BYTES = 16 * 1024;
const MIN_WASTE_BYTES = 64 * 1024;

/** Length of series that have no block: others have the same labels, and all are added up. */
const MERGED = 0x8000_0000;

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
 * that histograms can add `le`. As protobuf the LabelPair fields of a Metric; empty ones are left out, and equal
 * labels are not looked for: the text form does that.
 *
 * Layout: blocks lie in chunks. A block's position is `chunk << 18 | offset`; only a block larger than
 * a chunk has a chunk of its own size, and that starts at offset 0.
 */
export class LabelArena implements SeriesLabels {
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
  /** Series by the texts of their blocks. */
  readonly #table = new LabelTable();
  readonly #merged: MergedSeries;
  /** Series that stand for themselves until their groups are settled. */
  readonly #leaving: number[] = [];
  /** {@linkcode MetricSet.changes} when the last complete walk began. */
  #walkedChanges = NaN;
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
    this.#merged = new MergedSeries(set);
    this.#scopeText = `{${SCOPE_LABEL}="${escapeLabelValue(set.scope)}"`;
  }

  /**
   * The label bytes of a live series, or `undefined` if it is no longer what it was in `generation`:
   * labels that were read while the key was rewritten are not kept. Also `undefined` if another series
   * has the same labels: then both are part of what `settle` returns, from the next time on.
   *
   * Ownership: one cursor, overwritten by the next call.
   * Cost: about 1 µs when the series is new or was allotted anew.
   */
  at(series: number, generation: number): ByteRun | undefined {
    if (series >= this.#generations.length) this.#reserve(series + 1);
    if (this.#generations[series] !== generation + 1 && !this.#build(series, generation)) {
      return undefined;
    }
    const lengthBytes = this.#lengths[series];
    if (lengthBytes >= MERGED) return undefined;
    const position = this.#positions[series];
    const cursor = this.#cursor;
    cursor.view = this.#chunks[position >>> CHUNK_BITS].view;
    cursor.offsetBytes = position & (MAX_CHUNK_BYTES - 1);
    cursor.lengthBytes = lengthBytes;
    return cursor;
  }

  /**
   * Makes the labels of live series that have none, from `from` on, at most `maxNew` of them: so that
   * those with equal labels are known before a page begins.
   * @param options.changes of the set when the walk began.
   * @returns the first series not looked at.
   */
  prepare(options: { from: number; maxRows: number; maxNew: number; changes: number }): number {
    const set = this.#set;
    const { from, changes } = options;
    if (changes === this.#walkedChanges) return set.seriesCount;
    if (from === 0) this.#merged.forgetDeparted();
    const end = Math.min(set.seriesCount, from + options.maxRows);
    const lastBuilt = this.#builtCount + options.maxNew;
    if (set.seriesCount > this.#generations.length) this.#reserve(set.seriesCount);
    let series = from;
    for (; series < end && this.#builtCount < lastBuilt; series++) {
      const generation = set.generation(series);
      if (this.#generations[series] === generation + 1) continue;
      if ((generation & 1) === 0 && set.isLive(series)) this.#build(series, generation);
    }
    if (series >= set.seriesCount) this.#walkedChanges = changes;
    return series;
  }

  settle(): MergedSet | undefined {
    for (const series of this.#leaving.splice(0)) {
      if (this.#isCurrent(series)) this.#lengths[series] |= MERGED;
    }
    return this.#merged.settle();
  }

  /** True if the block holds the labels of the key that has the series now. */
  #isCurrent(series: number): boolean {
    return this.#generations[series] === this.#set.generation(series) + 1;
  }

  /** Names and unescaped values of a live series' labels. */
  labelsOf(series: number): [name: string, value: string][] {
    if (!this.#set.isOverflow(series)) return this.#pairs(this.#set.labelValues(series));
    return [[SCOPE_LABEL, this.#set.scope], ["otel_metric_overflow", "true"]];
  }

  #pairs(values: readonly string[]): [name: string, value: string][] {
    const labels: [string, string][] = [[SCOPE_LABEL, this.#set.scope]];
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
    this.#table.clear();
    this.#walkedChanges = NaN;
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
    if (this.#isProtobuf) return this.#buildPairs(series, generation);
    const values = this.#set.isOverflow(series) ? undefined : this.#set.labelValues(series);
    const text = this.#text(values).toWellFormed();
    if (this.#set.generation(series) !== generation) return false;
    if (this.#merged.join(text, { series, generation })) {
      this.#keep(series, { generation, position: 0, lengthBytes: MERGED });
      return true;
    }
    const maxBytes = text.length * MAX_BYTES_PER_UNIT;
    const chunk = this.#chunkWithRoom(maxBytes + COPY_SLACK_BYTES);
    const offset = this.#usedOfLastBytes;
    // A lone surrogate becomes U+FFFD here: one invalid byte would cost the whole scrape.
    const { written } = encoder.encodeInto(text, chunk.bytes.subarray(offset));
    const twin = this.#table.findOrAdd(
      series,
      text,
      (other) => this.#has(other, chunk.bytes.subarray(offset, offset + written)),
    );
    if (twin >= 0 && values !== undefined) {
      const first = { series: twin, generation: this.#generations[twin] - 1 };
      const group = { text, values, labels: this.#pairs(values) };
      this.#merged.form(group, [first, { series, generation }]);
      this.#leaving.push(twin);
      this.#keep(series, { generation, position: 0, lengthBytes: MERGED });
      return true;
    }
    this.#keepWritten(series, generation, written);
    return true;
  }

  #buildPairs(series: number, generation: number): boolean {
    const labels = this.labelsOf(series);
    if (this.#set.generation(series) !== generation) return false;
    const chunk = this.#chunkWithRoom(maxLabelPairBytes(labels) + COPY_SLACK_BYTES);
    const written = encodeLabelPairs(labels, chunk.bytes.subarray(this.#usedOfLastBytes));
    this.#keepWritten(series, generation, written);
    return true;
  }

  /** Keeps what was written behind what is used of the last chunk. */
  #keepWritten(series: number, generation: number, lengthBytes: number): void {
    const offset = this.#usedOfLastBytes;
    const position = (((this.#chunks.length - 1) << CHUNK_BITS) | offset) >>> 0;
    this.#keep(series, { generation, position, lengthBytes });
    this.#usedOfLastBytes = offset + lengthBytes;
  }

  #keep(
    series: number,
    block: { generation: number; position: number; lengthBytes: number },
  ): void {
    if (this.#generations[series] !== 0) this.#wastedBytes += this.#lengths[series] & ~MERGED;
    this.#positions[series] = block.position;
    this.#lengths[series] = block.lengthBytes;
    this.#generations[series] = block.generation + 1;
  }

  /** True if a series stands for itself, under these labels. */
  #has(series: number, bytes: Uint8Array): boolean {
    if (this.#lengths[series] !== bytes.length || !this.#isCurrent(series)) return false;
    const position = this.#positions[series];
    const own = this.#chunks[position >>> CHUNK_BITS].bytes;
    const start = position & (MAX_CHUNK_BYTES - 1);
    return bytes.every((byte, index) => byte === own[start + index]);
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

  /** @param values of the keys; absent for the overflow series. */
  #text(values: readonly string[] | undefined): string {
    if (values === undefined) return `${this.#scopeText},otel_metric_overflow="true"`;
    let text = this.#scopeText;
    for (const { name, sources } of this.#columns) {
      text += `,${name}="${escapeLabelValue(joinValues(values, sources))}"`;
    }
    return text;
  }
}

/** The value of a label column. */
export function joinValues(values: readonly string[], sources: readonly number[]): string {
  return sources.length === 1
    ? values[sources[0]]
    : sources.map((index) => values[index]).join(";");
}

/** Escapes a label value for both text formats. */
export function escapeLabelValue(value: string): string {
  if (!/[\\\n"]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
