/**
 * Series by key bytes: an open-addressing table over columns of typed arrays.
 *
 * Keys are fixed-length runs of int32 words. Series ids are dense and index every column. Id 0 is
 * the overflow series. The generated ingest loop works on the public arrays directly and calls
 * `insert` only for keys it has not met, after which it must fetch the arrays anew: they may have
 * grown.
 */

import { hashWords } from "../decode/mod.ts";
import type { Column } from "./family.ts";
import type { InstrumentPlan, MetricsPlan } from "./plan.ts";

/** Id of the series that collects what is over the limit. */
export const OVERFLOW_SERIES = 0;

/** Stands for the time of records that came since the last `advance`. */
export const SEEN_LATELY = Infinity;

const INITIAL_CAPACITY = 64;
/** At most a quarter of the table is used: a second probe costs a mispredicted branch. */
const MAX_LOAD = 0.25;

/** Records that were not (fully) counted, by reason. */
export interface IngestErrors {
  /** Events shorter than their struct; counted with zeros for what is missing. */
  shortRecords: number;
  /** Counter values below zero; not added. */
  negativeCounters: number;
  /** Values that are no number; not observed. */
  notANumber: number;
}

/** The values of one instrument for all series. */
interface ColumnArrays {
  /** Integers: 2 words a series. Floats: 1 double. Histograms: 2 words a bucket. */
  values: Uint32Array | Float64Array;
  /** Histograms only. */
  sums: Float64Array;
}

/** Key table and columns of one data source. */
export class SeriesStore {
  /** Slot → series id, 0 for empty: the overflow series is never in the table. */
  table: Int32Array;
  mask: number;
  /** Key words of series s at `keys[s·keyWordCount …]`. */
  keys: Int32Array;
  /** 1 while the series is exported. */
  live: Uint8Array;
  /**
   * Time in ms of a series' last record, `SEEN_LATELY` if that came after the last `advance`. Only
   * kept if the plan has a ttl and keys.
   */
  lastSeen: Float64Array;
  /** Key words of the record in hand; input of `insert`. */
  readonly scratch: Int32Array;
  readonly columns: ColumnArrays[];
  /** Records seen, those that the filter refused included. */
  received = 0;
  /** Records that the filter refused. */
  filtered = 0;
  /** Records that went to the overflow series. */
  overflowed = 0;
  readonly errors: IngestErrors = { shortRecords: 0, negativeCounters: 0, notANumber: 0 };

  readonly #plan: MetricsPlan;
  readonly #upperBounds: readonly Float64Array[];
  readonly #keyWordCount: number;
  #capacity = INITIAL_CAPACITY;
  /** Ids allotted, overflow included. */
  #count = 1;
  #generations: Uint32Array;
  /** Ids whose key is gone and whose place in the table is free. */
  readonly #free: number[] = [];
  #deadCount = 0;

  constructor(plan: MetricsPlan) {
    this.#plan = plan;
    this.#upperBounds = plan.instruments.map((instrument) =>
      Float64Array.from(instrument.upperBounds)
    );
    this.#keyWordCount = plan.keyWordCount;
    const tableSize = INITIAL_CAPACITY / MAX_LOAD;
    this.table = new Int32Array(tableSize);
    this.mask = tableSize - 1;
    this.keys = new Int32Array(this.#keyWordCount * INITIAL_CAPACITY);
    this.live = new Uint8Array(INITIAL_CAPACITY);
    this.lastSeen = new Float64Array(INITIAL_CAPACITY);
    this.#generations = new Uint32Array(INITIAL_CAPACITY);
    this.scratch = new Int32Array(this.#keyWordCount);
    this.columns = plan.instruments.map((instrument) => newColumn(instrument, INITIAL_CAPACITY));
    // Without keys there is one series, and it is there from the start: a counter begins at 0.
    if (this.#keyWordCount === 0) this.insert(0);
  }

  /** Ids allotted: valid ones are `0 … seriesCount - 1`. */
  get seriesCount(): number {
    return this.#count;
  }

  /** Series that are exported. */
  get liveCount(): number {
    return this.#count - 1 - this.#deadCount - this.#free.length;
  }

  /** How often the id was given to a new key. */
  generation(series: number): number {
    return this.#generations[series];
  }

  /** Id of the key in `scratch`, allotted if need be: the plain form of what generated code does. */
  findOrInsert(): number {
    const count = this.#keyWordCount;
    if (count === 0) return 1;
    const hash = hashWords(this.scratch, 0, count);
    for (let slot = hash & this.mask;; slot = slot + 1 & this.mask) {
      const series = this.table[slot];
      if (series === 0) return this.insert(hash);
      if (this.#hasKey(series)) return series;
    }
  }

  #hasKey(series: number): boolean {
    const start = series * this.#keyWordCount;
    for (let index = 0; index < this.#keyWordCount; index++) {
      if (this.keys[start + index] !== this.scratch[index]) return false;
    }
    return true;
  }

  /**
   * Allots a series to the key in `scratch`, which must not be in the table.
   * Replaces arrays when they are full. @returns the id, or `OVERFLOW_SERIES` at the limit.
   */
  insert(hash: number): number {
    const series = this.#allot();
    if (series === OVERFLOW_SERIES) {
      this.overflowed++;
      this.live[OVERFLOW_SERIES] = 1;
      return OVERFLOW_SERIES;
    }
    this.keys.set(this.scratch, series * this.#keyWordCount);
    this.live[series] = 1;
    this.#link(series, hash);
    return series;
  }

  #allot(): number {
    const atLimit = this.#keyWordCount > 0 && this.#count - 1 >= this.#plan.seriesLimit;
    if (atLimit && this.#free.length === 0 && this.#deadCount > 0) this.#reclaimDead();
    const reused = this.#free.pop();
    if (reused !== undefined) {
      this.#generations[reused]++;
      return reused;
    }
    if (atLimit) return OVERFLOW_SERIES;
    if (this.#count === this.#capacity) this.#grow(this.#capacity * 2);
    return this.#count++;
  }

  #link(series: number, hash: number): void {
    let slot = hash & this.mask;
    while (this.table[slot] !== 0) slot = slot + 1 & this.mask;
    this.table[slot] = series;
  }

  #grow(capacity: number): void {
    this.keys = grown(this.keys, this.#keyWordCount * capacity);
    this.live = grown(this.live, capacity);
    this.lastSeen = grown(this.lastSeen, capacity);
    this.#generations = grown(this.#generations, capacity);
    for (const column of this.columns) {
      const perSeries = column.values.length / this.#capacity;
      column.values = grown(column.values, perSeries * capacity);
      if (column.sums.length > 0) column.sums = grown(column.sums, capacity);
    }
    this.#capacity = capacity;
    this.#rebuildTable(capacity / MAX_LOAD);
  }

  #rebuildTable(size: number): void {
    this.table = new Int32Array(size);
    this.mask = size - 1;
    const free = new Set(this.#free);
    for (let series = 1; series < this.#count; series++) {
      if (free.has(series)) continue;
      this.#link(series, hashWords(this.keys, series * this.#keyWordCount, this.#keyWordCount));
    }
  }

  /** Takes a series out of the export; its values stay, in case the key returns. */
  kill(series: number): void {
    if (series === OVERFLOW_SERIES || this.#keyWordCount === 0 || this.live[series] === 0) return;
    this.live[series] = 0;
    this.#deadCount++;
  }

  /** Brings a series back: the key has returned. */
  revive(series: number): void {
    if (series === OVERFLOW_SERIES || this.live[series] === 1) return;
    this.live[series] = 1;
    this.#deadCount--;
  }

  /** Forgets dead series, so that their ids can be given away. */
  #reclaimDead(): void {
    const free = new Set(this.#free);
    for (let series = 1; series < this.#count; series++) {
      if (this.live[series] === 1 || free.has(series)) continue;
      this.#clearValues(series);
      this.#free.push(series);
    }
    this.#deadCount = 0;
    this.#rebuildTable(this.table.length);
  }

  /** Forgets all series and their values: what comes next tells everything anew. */
  clear(): void {
    for (let series = 1; series < this.#count; series++) this.#generations[series]++;
    for (const { values, sums } of this.columns) {
      values.fill(0);
      sums.fill(0);
    }
    this.table.fill(0);
    this.live.fill(0);
    this.#free.length = 0;
    this.#deadCount = 0;
    this.#count = 1;
    if (this.#keyWordCount === 0) this.insert(0);
  }

  #clearValues(series: number): void {
    for (const column of this.columns) {
      const perSeries = column.values.length / this.#capacity;
      column.values.fill(0, series * perSeries, (series + 1) * perSeries);
      if (column.sums.length > 0) column.sums[series] = 0;
    }
  }

  /**
   * Tells the time; series that had no record for `ttlMs` leave. If their key returns they start
   * from zero. The one series of a plan without keys stays.
   *
   * Records carry no time of their own: those since the last call count as if they had come now.
   * @param nowMs of any clock that only goes forward.
   */
  advance(nowMs: number, ttlMs: number): void {
    if (this.#keyWordCount === 0) return;
    for (let series = 1; series < this.#count; series++) {
      if (this.live[series] === 0) continue;
      if (this.lastSeen[series] === SEEN_LATELY) this.lastSeen[series] = nowMs;
      if (this.lastSeen[series] < nowMs - ttlMs) {
        this.#clearValues(series);
        this.kill(series);
      }
    }
  }

  /** The column of an instrument as exporters read it. */
  column(index: number): Column {
    const { storage } = this.#plan.instruments[index];
    const upperBounds = this.#upperBounds[index];
    const { values, sums } = this.columns[index];
    if (values instanceof Float64Array) return { kind: "float", values };
    if (storage !== "histogram") {
      return { kind: "integer", signed: storage === "signed", words: values };
    }
    return {
      kind: "histogram",
      upperBounds,
      stride: upperBounds.length + 1,
      counts: values,
      sums,
    };
  }
}

function newColumn(instrument: InstrumentPlan, capacity: number): ColumnArrays {
  switch (instrument.storage) {
    case "float":
      return { values: new Float64Array(capacity), sums: new Float64Array(0) };
    case "histogram":
      return {
        values: new Uint32Array(2 * (instrument.upperBounds.length + 1) * capacity),
        sums: new Float64Array(capacity),
      };
    case "signed":
    case "unsigned":
      return { values: new Uint32Array(2 * capacity), sums: new Float64Array(0) };
  }
}

/** A longer copy of a typed array. */
function grown<T extends Int32Array | Uint32Array | Uint8Array | Float64Array>(
  array: T,
  length: number,
): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  return longer;
}
