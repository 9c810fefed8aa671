/**
 * Entries of a map that is read in place: what each held at the last read, and its series.
 *
 * A snapshot repeats totals, so what is new in a value is its difference to the last one. Entries
 * are told apart by all bytes of the map key, also those that are no metric key: several entries
 * may feed one series. As in `series_store.ts`, generated code works on the public arrays and
 * fetches them anew after `insert`.
 */

import { hashWords } from "../decode/mod.ts";
import type { SeriesStore } from "./series_store.ts";

const INITIAL_CAPACITY = 64;
const MAX_LOAD = 0.5;

/** Entry table of one map. */
export class EntryStore {
  /** Slot → entry + 1, 0 for empty. */
  table: Int32Array;
  mask: number;
  /** Map key words of entry e at `keys[e·keyWordCount …]`. */
  keys: Int32Array;
  /** Value words of the last read at `values[e·valueWordCount …]`; `valueView` shows the same bytes. */
  values: Int32Array;
  valueView: DataView;
  /** Series that the entry feeds, -1 if it is hidden. */
  series: Int32Array;
  /** Pass in which the entry was last seen. */
  lastPass: Int32Array;
  /** Pass in which the entry last changed. */
  lastChange: Int32Array;
  pass = 0;
  /** Entry that a read in stable order meets next. */
  cursor = 0;
  /** Map key words of the entry in hand; input of `insert`. */
  readonly scratch: Int32Array;
  readonly keyWordCount: number;
  readonly valueWordCount: number;

  readonly #store: SeriesStore;
  #capacity = INITIAL_CAPACITY;
  #count = 0;
  /** Hash of each entry's key: a table is rebuilt twice as fast with it. */
  #hashes: Int32Array = new Int32Array(INITIAL_CAPACITY);
  /** Entries that feed a series, by series, and the generation of the series that they feed. */
  #references = new Uint32Array(INITIAL_CAPACITY);
  #referenced = new Int32Array(INITIAL_CAPACITY);
  /** Generation of its series when the entry was attached: the id may be another key's by now. */
  #generations = new Int32Array(INITIAL_CAPACITY);

  constructor(store: SeriesStore, sizes: { keySizeBytes: number; valueSizeBytes: number }) {
    this.#store = store;
    this.keyWordCount = Math.ceil(sizes.keySizeBytes / 4);
    this.valueWordCount = Math.ceil(sizes.valueSizeBytes / 4);
    const tableSize = INITIAL_CAPACITY / MAX_LOAD;
    this.table = new Int32Array(tableSize);
    this.mask = tableSize - 1;
    this.keys = new Int32Array(this.keyWordCount * INITIAL_CAPACITY);
    this.values = new Int32Array(this.valueWordCount * INITIAL_CAPACITY);
    this.valueView = new DataView(this.values.buffer);
    this.series = new Int32Array(INITIAL_CAPACITY);
    this.lastPass = new Int32Array(INITIAL_CAPACITY);
    this.lastChange = new Int32Array(INITIAL_CAPACITY);
    this.scratch = new Int32Array(this.keyWordCount);
  }

  /** Entries known. */
  get size(): number {
    return this.#count;
  }

  /** Starts a read of the whole map. */
  beginPass(): void {
    this.cursor = 0;
    this.pass++;
  }

  /** Entry of the key in `scratch`, or -1: the plain form of what generated code does. */
  find(): number {
    const hash = hashWords(this.scratch, 0, this.keyWordCount);
    for (let slot = hash & this.mask;; slot = slot + 1 & this.mask) {
      const entry = this.table[slot] - 1;
      if (entry < 0) return -1;
      const start = entry * this.keyWordCount;
      if (this.scratch.every((word, index) => this.keys[start + index] === word)) return entry;
    }
  }

  /** Adds the key in `scratch`, which must be new, with a value of zeros. Replaces full arrays. */
  insert(series: number): number {
    if (this.#count === this.#capacity) this.#grow(this.#capacity * 2);
    const entry = this.#count++;
    this.keys.set(this.scratch, entry * this.keyWordCount);
    const start = entry * this.valueWordCount;
    this.values.fill(0, start, start + this.valueWordCount);
    this.lastPass[entry] = this.pass;
    this.lastChange[entry] = this.pass;
    this.#hashes[entry] = hashWords(this.scratch, 0, this.keyWordCount);
    this.#link(entry);
    this.#attach(entry, series);
    return entry;
  }

  /**
   * Lets an entry feed a series, if it does not feed it already: a key that lies in the value has
   * changed, or the series' time had run out, and its id may even be the same.
   */
  move(entry: number, series: number): void {
    const feeds = this.series[entry] === series &&
      this.#generations[entry] === this.#store.memory.generation(series);
    if (feeds) return;
    this.#detach(entry);
    this.#attach(entry, series);
  }

  /**
   * Takes an entry that is still in the map out of its series, until `move` gives it one. Its last
   * value stays, so that what it held is not counted again.
   */
  hide(entry: number): void {
    this.lastPass[entry] = this.pass;
    this.#detach(entry);
    this.series[entry] = -1;
  }

  /** Forgets entries that the pass did not meet; a series without entries leaves the export. */
  endPass(): void {
    let kept = 0;
    for (let entry = 0; entry < this.#count;) {
      const start = entry;
      while (entry < this.#count && this.lastPass[entry] === this.pass) entry++;
      if (entry === start) {
        this.#detach(entry++);
        continue;
      }
      if (kept !== start) this.#moveEntries(kept, { start, end: entry });
      kept += entry - start;
    }
    if (kept === this.#count) return;
    this.#count = kept;
    this.#rebuildTable(this.table.length);
  }

  /** Map keys of the `count` entries that have not changed for the longest, one behind the other. */
  copyIdleKeys(count: number, keySizeBytes: number): Uint8Array<ArrayBuffer> {
    const sorted = this.lastChange.slice(0, this.#count).sort();
    const wanted = Math.min(count, this.#count);
    if (wanted <= 0) return new Uint8Array(0);
    const limit = sorted[wanted - 1];
    // Of those that changed last in the pass of the limit, not all may be wanted.
    let atLimit = wanted - sorted.indexOf(limit);
    const keys = new Uint8Array(wanted * keySizeBytes);
    const bytes = new Uint8Array(this.keys.buffer);
    let end = 0;
    for (let entry = 0; end < keys.length; entry++) {
      if (this.lastChange[entry] > limit) continue;
      if (this.lastChange[entry] === limit && atLimit-- <= 0) continue;
      const start = entry * this.keyWordCount * 4;
      keys.set(bytes.subarray(start, start + keySizeBytes), end);
      end += keySizeBytes;
    }
    return keys;
  }

  /**
   * Tells that entries were taken out of the map: should they return, they start from zero.
   * @param rows map keys, `strideBytes` apart, with the bytes behind them that belong to the entry.
   */
  forgetValues(rows: { view: DataView; strideBytes: number; count: number }): void {
    const { view, strideBytes, count } = rows;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const scratch = new Uint8Array(this.scratch.buffer);
    for (let row = 0; row < count; row++) {
      this.scratch.fill(0);
      scratch.set(bytes.subarray(row * strideBytes, (row + 1) * strideBytes));
      const entry = this.find();
      if (entry >= 0) this.forgetValue(entry);
    }
  }

  /** Takes an entry's last value for zeros. */
  forgetValue(entry: number): void {
    const start = entry * this.valueWordCount;
    this.values.fill(0, start, start + this.valueWordCount);
  }

  #attach(entry: number, series: number): void {
    const generation = this.#store.memory.generation(series);
    this.series[entry] = series;
    this.#generations[entry] = generation;
    if (series >= this.#references.length) this.#growReferences(series + 1);
    if (this.#referenced[series] !== generation) this.#references[series] = 0;
    this.#referenced[series] = generation;
    this.#references[series]++;
    this.#store.revive(series);
  }

  #detach(entry: number): void {
    const series = this.series[entry];
    if (series < 0 || this.#generations[entry] !== this.#store.memory.generation(series)) return;
    if (--this.#references[series] === 0) this.#store.kill(series);
  }

  #growReferences(length: number): void {
    const capacity = Math.max(length, this.#references.length * 2);
    const references = new Uint32Array(capacity);
    references.set(this.#references);
    this.#references = references;
    this.#referenced = grown(this.#referenced, capacity);
  }

  #moveEntries(to: number, { start, end }: { start: number; end: number }): void {
    const { keyWordCount, valueWordCount } = this;
    this.keys.copyWithin(to * keyWordCount, start * keyWordCount, end * keyWordCount);
    this.values.copyWithin(to * valueWordCount, start * valueWordCount, end * valueWordCount);
    this.#hashes.copyWithin(to, start, end);
    this.series.copyWithin(to, start, end);
    this.lastPass.copyWithin(to, start, end);
    this.lastChange.copyWithin(to, start, end);
    this.#generations.copyWithin(to, start, end);
  }

  #link(entry: number): void {
    const { table, mask } = this;
    let slot = this.#hashes[entry] & mask;
    while (table[slot] !== 0) slot = slot + 1 & mask;
    table[slot] = entry + 1;
  }

  #grow(capacity: number): void {
    this.keys = grown(this.keys, this.keyWordCount * capacity);
    this.values = grown(this.values, this.valueWordCount * capacity);
    this.valueView = new DataView(this.values.buffer);
    this.#hashes = grown(this.#hashes, capacity);
    this.series = grown(this.series, capacity);
    this.lastPass = grown(this.lastPass, capacity);
    this.lastChange = grown(this.lastChange, capacity);
    this.#generations = grown(this.#generations, capacity);
    this.#capacity = capacity;
    this.#rebuildTable(capacity / MAX_LOAD);
  }

  #rebuildTable(size: number): void {
    this.table = new Int32Array(size);
    this.mask = size - 1;
    for (let entry = 0; entry < this.#count; entry++) this.#link(entry);
  }
}

function grown(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length);
  longer.set(array);
  return longer;
}
