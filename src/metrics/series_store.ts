/**
 * Series by key bytes: an open-addressing table over the rows of a `SeriesMemory`.
 *
 * Keys are fixed-length runs of int32 words. Series ids are dense and index the rows. Id 0 is the
 * overflow series. The generated ingest loop works on the table and the rows directly and calls
 * `insert` only for keys that it has not found, after which it must fetch all views anew.
 */

import { hashWords } from "../decode/mod.ts";
import type { MetricsPlan } from "./plan.ts";
import { allocateSeriesBudget, SeriesBudget } from "./series_budget.ts";
import { allocateSeriesMemory, KEY_WORD, SeriesMemory } from "./series_memory.ts";

/** Id of the series that collects what is over the limit. */
export const OVERFLOW_SERIES = 0;

/** Bits of a table slot that hold the id; the others hold the top bits of the key's hash. */
export const ID_MASK = 0xff_ffff;

/** Slots per series while the table is small: a second probe costs a mispredicted branch. */
const SPARSE_SLOTS = 4;
/** Slots per series in large tables: a table that leaves the cache costs more than a second probe. */
const DENSE_SLOTS = 2;
const SPARSE_CAPACITY = 8192;
/** Series that move to a new table with each new key, at least. */
const MIGRATED_AT_ONCE = 32;
/** Parts of a ttl between two searches for series to take ids from. */
const RECLAIMS_PER_TTL = 8;

/** Key table of one data source and the only writer of its rows. */
export class SeriesStore {
  readonly memory: SeriesMemory;
  /** Slot → series id and top bits of the hash, 0 for empty: the overflow series is never in the table. */
  table: Int32Array;
  mask: number;
  /** Key words of the record in hand; input of `insert`. */
  readonly scratch: Int32Array;
  /**
   * True while there is no room for a key that is not in the table: its records go to the overflow
   * series without `insert`, which costs seven times as much as a key that is known. Ends when a series
   * leaves, time goes on, or `makeRoom` is called.
   */
  refuses = false;

  /** Unix time of the batch in hand, above 0; only for plans with exemplars. */
  wallMs = 0;

  #nowMs = 0;
  readonly #plan: MetricsPlan;
  readonly #keyWordCount: number;
  readonly #limit: number;
  readonly #budget: SeriesBudget;
  /** Ids allotted, overflow included. */
  #count = 1;
  /** Ids that belong to nobody. */
  readonly #free: number[] = [];
  #deadCount = 0;
  #lastReclaimMs = -Infinity;
  /** The table before, until all its series are in the new one. */
  #former: { readonly table: Int32Array; next: number } | undefined;

  /** @param memory by default one of its own, that shares its budget with nobody. */
  constructor(plan: MetricsPlan, memory: SeriesMemory = ownMemory(plan)) {
    this.#plan = plan;
    this.#keyWordCount = plan.keyWordCount;
    this.memory = memory;
    const { rows, budget } = memory.handle;
    this.#budget = new SeriesBudget(budget);
    this.#limit = rows.maxByteLength / (memory.layout.strideCells * 8) - 1;
    this.table = newTable(memory.capacity);
    this.mask = this.table.length - 1;
    this.scratch = new Int32Array(this.#keyWordCount);
    memory.publish(1);
    // Without keys there is one series, and it is there from the start: a counter begins at 0.
    if (this.#keyWordCount === 0) this.insert(0);
  }

  /** Time of the records in hand, of any clock that only goes forward; only for plans with a ttl. */
  get nowMs(): number {
    return this.#nowMs;
  }

  set nowMs(nowMs: number) {
    this.#nowMs = nowMs;
    this.refuses = false;
  }

  /** Id of the key in `scratch`, allotted if need be: the plain form of what generated code does. */
  findOrInsert(): number {
    if (this.#keyWordCount === 0) return 1;
    const hash = hashWords(this.scratch, 0, this.#keyWordCount);
    const found = this.#find(this.table, hash);
    if (found === 0 && this.refuses) {
      this.memory.stats.overflowed++;
      return OVERFLOW_SERIES;
    }
    const series = found === 0 ? this.insert(hash) : found;
    this.#touch(series);
    return series;
  }

  #find(table: Int32Array, hash: number): number {
    const mask = table.length - 1;
    for (let slot = hash & mask; table[slot] !== 0; slot = slot + 1 & mask) {
      const series = table[slot] & ID_MASK;
      if (this.#hasKey(series)) return series;
    }
    return 0;
  }

  #hasKey(series: number): boolean {
    const { memory, scratch } = this;
    const start = memory.keyAt(series);
    for (let index = 0; index < this.#keyWordCount; index++) {
      if (memory.words[start + index] !== scratch[index]) return false;
    }
    return memory.generation(series) % 2 === 0;
  }

  /** Tells the time of a series' last record. One whose time had run out starts from zero. */
  #touch(series: number): void {
    const { memory, nowMs } = this;
    const { lastSeenOffset, strideCells } = memory.layout;
    if (lastSeenOffset < 0 || series === OVERFLOW_SERIES) return;
    if (memory.lastSeenMs(series) < nowMs - this.#plan.ttlMs) this.restart(series);
    memory.floats[series * strideCells + lastSeenOffset] = nowMs;
  }

  /**
   * Finds the key in `scratch`, which must not be in `table`, or allots a series to it. Replaces views
   * and table when they are full. Cost: mostly a few moves to the next table. When memory for the rows
   * is full, one walk over the rows at most, to find those whose time has run out.
   * @returns the id, or `OVERFLOW_SERIES` at the limit.
   */
  insert(hash: number): number {
    const former = this.#former;
    if (former !== undefined) {
      const found = this.#find(former.table, hash);
      this.#migrate(MIGRATED_AT_ONCE);
      if (found !== 0) {
        this.#link(found, hash);
        return found;
      }
    }
    const series = this.#allot();
    if (series === OVERFLOW_SERIES) {
      this.memory.stats.overflowed++;
      this.memory.setState(OVERFLOW_SERIES, { generation: 0, live: true });
      // A key that is still to move from the former table is not in the table either.
      this.refuses = this.#former === undefined;
    } else {
      this.#link(series, hash);
    }
    return series;
  }

  #allot(): number {
    const { memory } = this;
    const atLimit = this.#count > this.#limit;
    const isFull = this.#count === memory.capacity;
    const noPlaceLeft = this.#keyWordCount > 0 && this.#budget.isExhausted;
    if ((isFull || noPlaceLeft) && this.#free.length === 0) {
      this.#reclaim({ dead: atLimit || noPlaceLeft });
    }
    const hasRoom = !atLimit || this.#free.length > 0;
    if (!hasRoom || (this.#keyWordCount > 0 && !this.#budget.take())) return OVERFLOW_SERIES;
    const reused = this.#free.pop();
    if (reused !== undefined) {
      this.#clearValues(reused);
      this.#own(reused, memory.generation(reused) + 1);
      return reused;
    }
    if (isFull) this.#grow();
    const series = this.#count++;
    this.#own(series, memory.generation(series));
    memory.publish(this.#count);
    return series;
  }

  /** Gives the series to the key in `scratch`. */
  #own(series: number, generation: number): void {
    const { memory, scratch } = this;
    const start = memory.keyAt(series);
    scratch.forEach((word, index) => Atomics.store(memory.words, start + index, word));
    const { lastSeenOffset, strideCells } = memory.layout;
    if (lastSeenOffset >= 0) memory.floats[series * strideCells + lastSeenOffset] = this.nowMs;
    memory.setState(series, { generation, live: true });
    memory.stats.live++;
  }

  #grow(): void {
    this.#migrate(Infinity);
    this.memory.grow();
    this.#startTable(newTable(this.memory.capacity));
  }

  /** Series move from the former table one by one, so that no event waits for all of them. */
  #startTable(table: Int32Array): void {
    this.#former = { table: this.table, next: 1 };
    this.table = table;
    this.mask = table.length - 1;
  }

  #migrate(atMost: number): void {
    const former = this.#former;
    if (former === undefined) return;
    const { memory } = this;
    const end = Math.min(this.#count, former.next + atMost);
    for (let series = former.next; series < end; series++) {
      if (memory.generation(series) % 2 === 1) continue;
      this.#link(series, hashWords(memory.words, memory.keyAt(series), this.#keyWordCount));
    }
    former.next = end;
    if (end === this.#count) this.#former = undefined;
  }

  /** Puts a series into the table, if it is not there. */
  #link(series: number, hash: number): void {
    let slot = hash & this.mask;
    while (this.table[slot] !== 0) {
      if ((this.table[slot] & ID_MASK) === series) return;
      slot = slot + 1 & this.mask;
    }
    this.table[slot] = series | hash & ~ID_MASK;
  }

  /** Takes a series out of the export; its values stay, in case the key returns. */
  kill(series: number): void {
    const { memory } = this;
    if (series === OVERFLOW_SERIES || this.#keyWordCount === 0 || !this.#isOwned(series)) return;
    memory.setState(series, { generation: memory.generation(series), live: false });
    memory.stats.live--;
    this.#deadCount++;
    this.refuses = false;
  }

  /** Brings a series back: the key has returned. */
  revive(series: number): void {
    const { memory } = this;
    if (series === OVERFLOW_SERIES || this.#isOwned(series)) return;
    memory.setState(series, { generation: memory.generation(series), live: true });
    memory.stats.live++;
    this.#deadCount--;
  }

  #isOwned(series: number): boolean {
    return (this.memory.words[this.memory.wordsAt(series)] & 1) === 1;
  }

  /**
   * Sets the values of a series to zero: its time had run out, and its key has returned. To readers it
   * is another series, so that they never see some values from before and some from after.
   */
  restart(series: number): void {
    const { memory } = this;
    const generation = memory.generation(series);
    const live = this.#isOwned(series);
    memory.setState(series, { generation: generation + 1, live: false });
    this.#clearValues(series);
    memory.setState(series, { generation: generation + 2, live });
  }

  /**
   * If other data sources find no place any more: gives back those of series that have left. To be
   * called before each batch: they may have given back places, too.
   */
  makeRoom(): void {
    this.refuses = false;
    if (this.#budget.isExhausted) this.#reclaim({ dead: true });
  }

  /**
   * Takes the ids of series whose time has run out, to be given away, and those of dead ones if
   * there is no other room: their keys may return and go on.
   */
  #reclaim(options: { dead: boolean }): void {
    const { ttlMs } = this.#plan;
    const takesDead = options.dead && this.#deadCount > 0;
    const takesExpired = ttlMs > 0 &&
      this.nowMs - this.#lastReclaimMs >= ttlMs / RECLAIMS_PER_TTL;
    if (this.#keyWordCount === 0 || (!takesDead && !takesExpired)) return;
    this.#migrate(Infinity);
    if (takesExpired) this.#lastReclaimMs = this.nowMs;
    const before = this.#free.length;
    for (let series = 1; series < this.#count; series++) {
      // One that belongs to nobody already.
      if (this.memory.generation(series) % 2 === 1) continue;
      const hasExpired = takesExpired && this.memory.lastSeenMs(series) < this.nowMs - ttlMs;
      if (hasExpired || (takesDead && !this.#isOwned(series))) this.#release(series);
    }
    if (this.#free.length === before) return;
    this.#budget.giveBack(this.#free.length - before);
    this.#startTable(new Int32Array(this.table.length));
  }

  #release(series: number): void {
    const { memory } = this;
    if (this.#isOwned(series)) memory.stats.live--;
    else this.#deadCount--;
    memory.setState(series, { generation: memory.generation(series) + 1, live: false });
    this.#free.push(series);
  }

  /** Forgets all series and their values: what comes next tells everything anew. */
  clear(): void {
    const { memory } = this;
    for (let series = 0; series < this.#count; series++) {
      this.#clearValues(series);
      // From even to even; of the overflow series nobody asks.
      const generation = memory.generation(series) + 2 & ~1;
      memory.setState(series, { generation: series === 0 ? 0 : generation, live: false });
    }
    if (this.#keyWordCount > 0) this.#budget.giveBack(this.#count - 1 - this.#free.length);
    this.table.fill(0);
    this.#former = undefined;
    this.#free.length = 0;
    this.#deadCount = 0;
    this.#count = 1;
    memory.stats.live = 0;
    this.refuses = false;
    memory.publish(1);
    if (this.#keyWordCount === 0) this.insert(0);
  }

  /** Atomically: nobody may see values of the former key after the state says otherwise. */
  #clearValues(series: number): void {
    const { cells, layout } = this.memory;
    const start = series * layout.strideCells;
    const first = KEY_WORD + this.#keyWordCount + 1 >> 1;
    for (let cell = first; cell < layout.strideCells; cell++) {
      Atomics.store(cells, start + cell, 0n);
    }
  }
}

function ownMemory(plan: MetricsPlan): SeriesMemory {
  const budget = allocateSeriesBudget(plan.seriesLimit);
  return new SeriesMemory(plan, allocateSeriesMemory(plan, { isStronglyOrdered: true, budget }));
}

function newTable(capacity: number): Int32Array {
  const slotsPerSeries = capacity <= SPARSE_CAPACITY ? SPARSE_SLOTS : DENSE_SLOTS;
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, capacity) * slotsPerSeries));
  return new Int32Array(slots);
}
