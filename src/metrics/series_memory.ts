/**
 * The memory of a data source's series: one row a series, shared between the thread that counts and
 * those that read.
 *
 * Layout of a row, in 64-bit cells; 32-bit words count from the row's begin:
 *
 *     word 0         state: generation << 1 | live
 *     word 1 …       key words, padded to a whole cell
 *     cells          of each instrument in turn: 1, or a histogram's buckets and its sum
 *     cell           time in ms of the last record, if the plan has a ttl
 *     cells          with an exemplar field: a word that is the version, the field's words, padded;
 *                    Unix time in ms; for each counter and histogram of a field, what it held
 *
 * A row lies together, so that an event costs one or two cache lines. Rows are never moved: memory
 * is reserved for all that the limit allows, and given out (`SharedArrayBuffer.grow`) as needed;
 * the kernel gives real pages to what is written.
 *
 * One thread writes. What others see:
 * - A cell is written and read by one 64-bit access to an aligned address, which no processor that V8
 *   supports divides: never half a counter.
 * - A new series is published by an atomic store of the row count, behind which a reader finds the key.
 * - A row that gets another key has an odd generation in the meantime. The state and all that changes
 *   with it are stored atomically, so they are seen in that order. Readers compare the generation
 *   before and behind what they read. Both must be atomic loads: of two plain ones the compiler may
 *   make one, and did (once in ten runs of the stress test). Only with a ttl is a row given away
 *   while another thread may read it, so only then is this paid for.
 */

import type { Column } from "./family.ts";
import type { ExemplarPlan, MetricsPlan } from "./plan.ts";
import { SeriesBudget, type SeriesBudgetHandle } from "./series_budget.ts";

/** What is counted beside the metrics. */
export const STAT_NAMES = [
  /** Records seen, those that the filter refused included. */
  "received",
  /** Records that the filter refused. */
  "filtered",
  /** Records that went to the overflow series. */
  "overflowed",
  /** Series that are exported, the overflow series left out. */
  "live",
  /** Events that the kernel dropped, where the buffer itself tells. */
  "lost",
  /** Events shorter than their struct; counted with zeros for what is missing. */
  "shortRecords",
  /** Counter values below zero; not added. */
  "negativeCounters",
  /** Values that are no number; not observed. */
  "notANumber",
  /** Series with a label value that was too long; counted where labels are made. */
  "truncatedLabels",
] as const;

export type SeriesStats = Record<typeof STAT_NAMES[number], number>;

/** What another thread needs to see the same series; can be posted to it. */
export interface SeriesMemoryHandle {
  readonly header: SharedArrayBuffer;
  readonly rows: SharedArrayBuffer;
  /** Shared with other data sources. */
  readonly budget: SeriesBudgetHandle;
  /**
   * True if the processor keeps the order of loads, and that of stores (x86-64): then an atomic load
   * orders all that is read around it.
   */
  readonly isStronglyOrdered: boolean;
}

/** Where things lie in a row. */
export interface RowLayout {
  readonly keyWordCount: number;
  readonly strideCells: number;
  /** First cell of each instrument. */
  readonly offsets: readonly number[];
  /** Cell with the time of the last record; -1 without ttl. */
  readonly lastSeenOffset: number;
  readonly exemplar?: ExemplarLayout;
}

/** Where a series' exemplar lies in its row. */
export interface ExemplarLayout {
  /**
   * Word with the version: 0 for no exemplar, odd while one is written, then two more than before. The
   * words of the field lie behind it.
   */
  readonly versionWord: number;
  /** Cell with the Unix time in ms. */
  readonly timeOffset: number;
  /** Cell with the value, by instrument; -1 for those that have none of their own. */
  readonly valueOffsets: readonly number[];
}

/** First key word of a row. */
export const KEY_WORD = 1;
/** Ids fit 24 bits: the tables keep eight bits of the hash beside them. */
export const MAX_SERIES = (1 << 24) - 1;

const INITIAL_CAPACITY = 64;
/** An exemplar is written within nanoseconds. */
const EXEMPLAR_ATTEMPTS = 8;
/** Header: the row count, a word for ordering, the number of changes, then the statistics as doubles. */
const COUNT_WORD = 0;
const FENCE_WORD = 1;
const CHANGES_WORD = 2;
const STATS_BYTE = 16;
const HEADER_BYTES = STATS_BYTE + 8 * STAT_NAMES.length;

/** Lays out a plan's rows. */
export function rowLayout(plan: MetricsPlan): RowLayout {
  const { keyWordCount } = plan;
  let end = KEY_WORD + keyWordCount + 1 >> 1;
  const offsets = plan.instruments.map(({ storage, upperBounds }) => {
    const offset = end;
    end += storage === "histogram" ? upperBounds.length + 2 : 1;
    return offset;
  });
  const lastSeenOffset = plan.ttlMs > 0 ? end++ : -1;
  const exemplar = plan.exemplar && exemplarLayout(plan, plan.exemplar, end);
  if (exemplar !== undefined) end = exemplar.end;
  return {
    keyWordCount,
    strideCells: end,
    offsets,
    lastSeenOffset,
    ...(exemplar && { exemplar: exemplar.layout }),
  };
}

function exemplarLayout(
  { instruments }: MetricsPlan,
  { wordCount }: ExemplarPlan,
  begin: number,
): { layout: ExemplarLayout; end: number } {
  const timeOffset = begin + (1 + wordCount + 1 >> 1);
  let end = timeOffset + 1;
  const valueOffsets = instruments.map(({ type, field, slots }) =>
    field === undefined || slots || type === "gauge" ? -1 : end++
  );
  return { layout: { versionWord: 2 * begin, timeOffset, valueOffsets }, end };
}

/** Reserves the memory for as many series as the plan allows. */
export function allocateSeriesMemory(
  plan: MetricsPlan,
  options: { isStronglyOrdered: boolean; budget: SeriesBudgetHandle },
): SeriesMemoryHandle {
  const rowBytes = rowLayout(plan).strideCells * 8;
  // Behind the overflow series; without keys there is one whatever the limit.
  const rowCount = 1 + Math.max(1, Math.min(plan.seriesLimit, MAX_SERIES));
  return {
    header: new SharedArrayBuffer(HEADER_BYTES),
    rows: new SharedArrayBuffer(rowBytes * Math.min(INITIAL_CAPACITY, rowCount), {
      maxByteLength: rowBytes * rowCount,
    }),
    ...options,
  };
}

/** One thread's view of the rows. */
export class SeriesMemory {
  readonly handle: SeriesMemoryHandle;
  readonly layout: RowLayout;
  readonly stats: SeriesStats;
  /** The rows as 32-bit words, as integer cells and as double cells; replaced when there are more. */
  words: Int32Array = new Int32Array(0);
  cells: BigUint64Array = new BigUint64Array(0);
  floats: Float64Array = new Float64Array(0);
  /** Series without records since then are hidden from readers of this thread; for plans with a ttl. */
  hiddenBeforeMs = -Infinity;

  readonly #plan: MetricsPlan;
  readonly #header: Int32Array;
  readonly #strideWords: number;
  #columns: readonly Column[] = [];

  constructor(plan: MetricsPlan, handle: SeriesMemoryHandle) {
    this.#plan = plan;
    this.handle = handle;
    this.layout = rowLayout(plan);
    this.#strideWords = this.layout.strideCells * 2;
    this.#header = new Int32Array(handle.header, 0, STATS_BYTE / 4);
    this.stats = statsOver(new Float64Array(handle.header, STATS_BYTE, STAT_NAMES.length));
    this.#view();
  }

  /** Rows that there is memory for now. */
  get capacity(): number {
    return this.words.length / this.#strideWords;
  }

  /** Rows in use: valid ids are `0 … count - 1`. */
  get count(): number {
    const count = Atomics.load(this.#header, COUNT_WORD);
    if (count > this.capacity) this.#view();
    return count;
  }

  /** For the writer: makes all that was stored before visible with the new rows. */
  publish(count: number): void {
    Atomics.store(this.#header, COUNT_WORD, count);
    this.#countChange();
  }

  /** For the writer: memory for more rows, up to what the plan allows. */
  grow(): void {
    const { rows } = this.handle;
    rows.grow(Math.min(rows.byteLength * 2, rows.maxByteLength));
    this.#view();
  }

  #view(): void {
    const { rows } = this.handle;
    // Views of a fixed length: those that follow the buffer's length are ten times slower.
    const length = rows.byteLength;
    this.words = new Int32Array(rows, 0, length / 4);
    this.cells = new BigUint64Array(rows, 0, length / 8);
    this.floats = new Float64Array(rows, 0, length / 8);
    this.#columns = this.#plan.instruments.map((_, index) => this.#makeColumn(index));
  }

  #makeColumn(index: number): Column {
    const { storage, upperBounds, native } = this.#plan.instruments[index];
    const { cells, floats } = this;
    const { strideCells: stride, offsets } = this.layout;
    const place = { cells, floats, stride, offset: offsets[index] };
    switch (storage) {
      case "float":
        return { kind: "float", ...place };
      case "histogram":
        return {
          kind: "histogram",
          upperBounds: Float64Array.from(upperBounds),
          ...(native && { native }),
          ...place,
        };
      case "signed":
      case "unsigned":
        return { kind: "integer", signed: storage === "signed", ...place };
    }
  }

  /** The column of an instrument as exporters read it; has room for all rows that `count` told of. */
  column(index: number): Column {
    return this.#columns[index];
  }

  /** Index of a row's first word. */
  wordsAt(series: number): number {
    return series * this.#strideWords;
  }

  /** Index of a row's first key word. */
  keyAt(series: number): number {
    return series * this.#strideWords + KEY_WORD;
  }

  /** Time of a series' last record; only kept with a ttl. */
  lastSeenMs(series: number): number {
    return this.floats[series * this.layout.strideCells + this.layout.lastSeenOffset];
  }

  /**
   * The exemplar of a series: its words, time and value of an instrument, all of one event. Undefined if
   * there is none, or if events come so fast that none stays for long enough.
   */
  exemplar(
    series: number,
    instrument: number,
  ): { words: Int32Array; unixMs: number; value: number } | undefined {
    const { exemplar: layout, strideCells } = this.layout;
    const wordCount = this.#plan.exemplar?.wordCount;
    if (layout === undefined || wordCount === undefined) return undefined;
    const at = series * this.#strideWords + layout.versionWord;
    const row = series * strideCells;
    const valueOffset = layout.valueOffsets[instrument];
    for (let attempt = 0; attempt < EXEMPLAR_ATTEMPTS; attempt++) {
      const version = Atomics.load(this.words, at);
      if (version === 0) return undefined;
      const words = this.words.slice(at + 1, at + 1 + wordCount);
      const unixMs = this.floats[row + layout.timeOffset];
      const value = valueOffset < 0 ? 1 : this.floats[row + valueOffset];
      if (!this.handle.isStronglyOrdered) Atomics.add(this.#header, FENCE_WORD, 0);
      const isWhole = version % 2 === 0 && Atomics.load(this.words, at) === version;
      if (isWhole) return { words, unixMs, value };
    }
    return undefined;
  }

  /** True while the series belongs to a key and is to be exported. */
  isLive(series: number): boolean {
    if ((this.words[series * this.#strideWords] & 1) === 0) return false;
    return this.layout.lastSeenOffset < 0 || this.layout.keyWordCount === 0 || series === 0 ||
      this.lastSeenMs(series) >= this.hiddenBeforeMs;
  }

  /** Series that are exported, the overflow series left out. */
  get liveCount(): number {
    if (this.hiddenBeforeMs === -Infinity) return this.stats.live;
    let live = 0;
    for (let series = 1, count = this.count; series < count; series++) {
      if (this.isLive(series)) live++;
    }
    return live;
  }

  /** Gives the places of all series back: nobody may count or read here any more. */
  giveBackPlaces(): void {
    if (this.layout.keyWordCount === 0) return;
    let places = 0;
    for (let series = 1, count = this.count; series < count; series++) {
      // Odd ones have given theirs back.
      if (this.generation(series) % 2 === 0) places++;
    }
    new SeriesBudget(this.handle.budget).giveBack(places);
  }

  /** See {@linkcode MetricSet.generation}. */
  generation(series: number): number {
    const at = series * this.#strideWords;
    if (this.#plan.ttlMs === 0) return this.words[at] >>> 1;
    // A read-modify-write keeps earlier loads before and later ones behind.
    if (!this.handle.isStronglyOrdered) Atomics.add(this.#header, FENCE_WORD, 0);
    return Atomics.load(this.words, at) >>> 1;
  }

  /** Number of changes of states and of the row count so far, modulo 2^32. */
  get changes(): number {
    return Atomics.load(this.#header, CHANGES_WORD);
  }

  /** For the writer: sets a row's state, behind all that was stored before. */
  setState(series: number, state: { generation: number; live: boolean }): void {
    const bits = state.generation << 1 | (state.live ? 1 : 0);
    Atomics.store(this.words, series * this.#strideWords, bits);
    this.#countChange();
  }

  /** Behind the change: who reads the same number again has seen it. */
  #countChange(): void {
    Atomics.store(this.#header, CHANGES_WORD, this.#header[CHANGES_WORD] + 1);
  }
}

function statsOver(values: Float64Array): SeriesStats {
  const stats = {};
  STAT_NAMES.forEach((name, index) => {
    Object.defineProperty(stats, name, {
      enumerable: true,
      get: () => values[index],
      set: (value: number) => values[index] = value,
    });
  });
  return stats as SeriesStats;
}
