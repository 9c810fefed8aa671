/** Reads whole maps in batches, into buffers that are kept. */

import { type BatchBuffers, type BpfMap, possibleCpuCount } from "../../ffi/mod.ts";
import { isPercpuMap } from "../gadget/mod.ts";
import { perCpuStrideBytes } from "../metrics/mod.ts";

/** Entries of one batch, lent until the callback returns. */
export interface MapBatch {
  readonly keys: DataView;
  readonly values: DataView;
  readonly count: number;
}

/** Entries asked for at first: enough that the call itself does not matter, and few pages. */
const INITIAL_ROOM = 4096;
/** Buffers never get larger than this many bytes at first; huge values get fewer entries. */
const INITIAL_BYTES = 4 << 20;
/** A bucket larger than this is no hash table any more. */
const MAX_ROOM = 1 << 24;

/** Reader of one map. */
export class MapReader {
  readonly map: BpfMap;
  /** CPUs per value; 1 for maps with one value. */
  readonly cpuCount: number;
  /** Bytes per entry in the values of a batch. */
  readonly valueStrideBytes: number;
  #buffers: BatchBuffers & { readonly room: number };
  #batchSupported = true;

  constructor(map: BpfMap) {
    this.map = map;
    this.cpuCount = isPercpuMap(map) ? possibleCpuCount() : 1;
    this.valueStrideBytes = isPercpuMap(map)
      ? perCpuStrideBytes(map.valueSizeBytes) * this.cpuCount
      : map.valueSizeBytes;
    const affordable = Math.floor(INITIAL_BYTES / (this.valueStrideBytes + map.keySizeBytes));
    this.#buffers = this.#allocate(
      Math.max(1, Math.min(INITIAL_ROOM, map.maxEntries, affordable)),
    );
  }

  #allocate(room: number): BatchBuffers & { readonly room: number } {
    return {
      room,
      // Hash maps write a 4-byte cursor whatever the key size.
      cursor: new Uint8Array(Math.max(4, this.map.keySizeBytes)),
      keys: new Uint8Array(room * this.map.keySizeBytes),
      values: new Uint8Array(room * this.valueStrideBytes),
      count: new Uint32Array(1),
    };
  }

  /**
   * Lends every entry once, in batches.
   *
   * Cost: one system call per batch; where the kernel has no batch calls, two per entry.
   * @param remove take the entries out of the map; arrays cannot.
   * @returns entries read.
   * @throws KernelError.
   */
  readAll(process: (batch: MapBatch) => void, options: { remove: boolean }): number {
    if (this.#batchSupported) {
      const count = this.#readBatches(process, options);
      if (count >= 0) return count;
      this.#batchSupported = false;
    }
    return this.#readSingly(process, options);
  }

  /** @returns entries read, or -1 if batches are not supported. */
  #readBatches(process: (batch: MapBatch) => void, { remove }: { remove: boolean }): number {
    let total = 0;
    let first = true;
    for (;;) {
      const buffers = this.#buffers;
      const end = this.map.lookupBatch(buffers, { first, remove, room: buffers.room });
      if (end === "unsupported") {
        if (!first) throw new Error(`BUG: batch calls on map ${this.map.name} stopped working`);
        return -1;
      }
      if (end === "no-space") {
        this.#grow();
        continue;
      }
      const count = buffers.count[0];
      if (count > 0) process(this.#batch(count));
      total += count;
      first = false;
      if (end === "end") return total;
    }
  }

  /** One bucket did not fit: more room, and the cursor goes on where it was. */
  #grow(): void {
    const { cursor, room } = this.#buffers;
    if (room >= MAX_ROOM) {
      throw new Error(`BUG: a bucket of map ${this.map.name} holds over ${room} entries`);
    }
    this.#buffers = this.#allocate(room * 2);
    this.#buffers.cursor.set(cursor);
  }

  #batch(count: number): MapBatch {
    const { keys, values } = this.#buffers;
    return { keys: new DataView(keys.buffer), values: new DataView(values.buffer), count };
  }

  #readSingly(process: (batch: MapBatch) => void, { remove }: { remove: boolean }): number {
    const { keySizeBytes } = this.map;
    const all: Uint8Array<ArrayBuffer>[] = [];
    let key: Uint8Array<ArrayBuffer> | null = null;
    // Keys first: a walk over a map that shrinks under it would start again.
    for (let next = new Uint8Array(keySizeBytes); this.map.nextKey(key, next);) {
      all.push(next);
      key = next;
      next = new Uint8Array(keySizeBytes);
      if (all.length > this.map.maxEntries) break;
    }
    let total = 0;
    const value = new Uint8Array(this.valueStrideBytes);
    for (const key of all) {
      if (!this.#readOne(key, { value, remove })) continue;
      this.#buffers.keys.set(key);
      this.#buffers.values.set(value);
      process(this.#batch(1));
      total++;
    }
    return total;
  }

  #readOne(
    key: Uint8Array<ArrayBuffer>,
    { value, remove }: { value: Uint8Array<ArrayBuffer>; remove: boolean },
  ): boolean {
    return remove ? this.map.lookupAndDelete(key, value) : this.map.lookup(key, value);
  }

  /**
   * Takes single entries out and lends their last values.
   * @param keys map keys in a row.
   */
  removeKeys(keys: Uint8Array<ArrayBuffer>, process: (batch: MapBatch) => void): void {
    const { keySizeBytes } = this.map;
    const value = new Uint8Array(this.valueStrideBytes);
    for (let at = 0; at < keys.length; at += keySizeBytes) {
      const key = keys.slice(at, at + keySizeBytes);
      if (!this.#readOne(key, { value, remove: true })) continue;
      this.#buffers.keys.set(key);
      this.#buffers.values.set(value);
      process(this.#batch(1));
    }
  }
}
