/** Reads whole maps in batches, into buffers that are kept. */

import { type BatchBuffers, type BatchEnd, type BpfMap, possibleCpuCount } from "../../ffi/mod.ts";
import { isPercpuMap } from "../gadget/mod.ts";
import { perCpuStrideBytes } from "../metrics/mod.ts";
import { KeyWalk } from "./_key_walk.ts";
import type { MapBatch } from "./map_batch.ts";
import { MappedArray } from "./_mapped_array.ts";

/**
 * Entries of one call: a map's 16th, so that counting one batch goes on while the next is read, and
 * the call's own 70 µs do not matter. Measured with 100,000 entries: 1024 take a third longer than
 * one single call, 4096 a tenth, 8192 nothing that shows; more only costs memory.
 */
const ROOM = { part: 16, min: 4096, max: 16384 } as const;
/** The buffers of one batch do not get larger than this at first; huge values get fewer entries. */
const INITIAL_BYTES = 2 << 20;
/** A bucket larger than this is no hash table any more. */
const MAX_ROOM = 1 << 24;
/**
 * Maps up to this size are read on this thread: the kernel needs less time for them (0.3 µs an entry)
 * than another thread needs to take over.
 */
const HERE = { entries: 256, bytes: 64 << 10 } as const;

/**
 * Reader of one map. One read at a time.
 *
 * Ownership: `close` when no read is under way, before the map goes.
 */
export class MapReader {
  readonly map: BpfMap;
  /** CPUs per value; 1 for maps with one value. */
  readonly cpuCount: number;
  /** Bytes per entry in the values of a batch. */
  readonly valueStrideBytes: number;
  readonly #mapped: MappedArray | undefined;
  readonly #cursor: Uint8Array<ArrayBuffer>;
  readonly #isReadHere: boolean;
  /** Two, for the batch that is being read and the one that is being counted; made when needed. */
  readonly #buffers: (BatchBuffers | undefined)[] = [undefined, undefined];
  #room: number;
  #batchSupported = true;
  #walk: KeyWalk | undefined;

  constructor(map: BpfMap) {
    this.map = map;
    this.cpuCount = isPercpuMap(map) ? possibleCpuCount() : 1;
    this.#mapped = MappedArray.open(map);
    this.valueStrideBytes = this.#mapped?.strideBytes ?? strideOf(map, this.cpuCount);
    const entryBytes = this.valueStrideBytes + map.keySizeBytes;
    this.#room = initialRoom(map.maxEntries, entryBytes);
    this.#isReadHere = map.maxEntries <= HERE.entries && map.maxEntries * entryBytes <= HERE.bytes;
    // Hash maps write a 4-byte cursor whatever the key size.
    this.#cursor = offHeap(Math.max(4, map.keySizeBytes));
  }

  /**
   * Lends every entry once, in batches.
   *
   * Cost: one system call per batch, on another thread but for small maps; where the kernel has no
   * batch calls, two per entry, on this thread but in pieces; none for arrays that can be mapped.
   * @param options.remove take the entries out of the map; arrays cannot.
   * @returns entries read.
   * @throws KernelError, UnsupportedError: then not all entries have been lent.
   */
  async readAll(
    process: (batch: MapBatch) => void,
    options: { remove: boolean },
  ): Promise<number> {
    if (this.#mapped !== undefined) return await this.#mapped.readAll(process);
    if (this.#batchSupported) {
      const count = await this.#readBatches(process, options);
      if (count >= 0) return count;
      this.#batchSupported = false;
    }
    return await this.#keyWalk().readAll(process, options);
  }

  /** @returns entries read, or -1 if batches are not supported. */
  async #readBatches(
    process: (batch: MapBatch) => void,
    { remove }: { remove: boolean },
  ): Promise<number> {
    let total = 0;
    let side = 0;
    let call = this.#call({ side, first: true, remove });
    for (let first = true;;) {
      const end = await call;
      if (end === "unsupported") {
        if (!first) throw new Error(`BUG: batch calls on map ${this.map.name} stopped working`);
        return -1;
      }
      if (end === "no-space") {
        this.#grow();
        call = this.#call({ side, first, remove });
        continue;
      }
      first = false;
      const full = this.#buffersOf(side);
      const count = full.count[0];
      side ^= 1;
      if (end === "more") call = this.#call({ side, first, remove });
      try {
        if (count > 0) process(batchOf(full, count));
      } catch (error) {
        // The kernel may still be writing into the buffers.
        await Promise.allSettled([call]);
        throw error;
      }
      total += count;
      if (end === "end") return total;
    }
  }

  /** Async on this thread too: what it throws must not come before the last batch is counted. */
  async #call(
    { side, first, remove }: { side: number; first: boolean; remove: boolean },
  ): Promise<BatchEnd> {
    const call = {
      buffers: this.#buffersOf(side),
      cursor: this.#cursor,
      room: this.#room,
      first,
      remove,
    };
    return this.#isReadHere ? this.map.lookupBatch(call) : await this.map.lookupBatchAside(call);
  }

  #buffersOf(side: number): BatchBuffers {
    return this.#buffers[side] ??= {
      keys: offHeap(this.#room * this.map.keySizeBytes),
      values: offHeap(this.#room * this.valueStrideBytes),
      count: new Uint32Array(offHeap(4).buffer),
    };
  }

  /** One bucket did not fit: more room, and the cursor stays where it was. */
  #grow(): void {
    if (this.#room >= MAX_ROOM) {
      throw new Error(`BUG: a bucket of map ${this.map.name} holds over ${this.#room} entries`);
    }
    this.#room *= 2;
    this.#buffers.fill(undefined);
  }

  /**
   * Takes single entries out and lends their last values.
   * @param keys map keys in a row.
   */
  async removeKeys(
    keys: Uint8Array<ArrayBuffer>,
    process: (batch: MapBatch) => void,
  ): Promise<void> {
    await this.#keyWalk().removeKeys(keys, process);
  }

  #keyWalk(): KeyWalk {
    return this.#walk ??= new KeyWalk(this.map, this.valueStrideBytes);
  }

  /** Unmaps what is mapped. */
  close(): void {
    this.#mapped?.close();
  }
}

function strideOf(map: BpfMap, cpuCount: number): number {
  return isPercpuMap(map) ? perCpuStrideBytes(map.valueSizeBytes) * cpuCount : map.valueSizeBytes;
}

function initialRoom(maxEntries: number, entryBytes: number): number {
  const wanted = Math.max(ROOM.min, Math.min(ROOM.max, Math.ceil(maxEntries / ROOM.part)));
  return Math.max(1, Math.min(wanted, maxEntries, Math.floor(INITIAL_BYTES / entryBytes)));
}

/** Bytes that no garbage collection moves, though they are few: another thread writes into them. */
function offHeap(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(sizeBytes));
}

function batchOf({ keys, values }: BatchBuffers, count: number): MapBatch {
  return { keys: new DataView(keys.buffer), values: new DataView(values.buffer), count };
}
