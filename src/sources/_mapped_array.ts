/** Reads an array map with `BPF_F_MMAPABLE` from its memory, without a system call. */

import { BPF_F_MMAPABLE, type BpfMap, MappedMemory, pageSizeBytes } from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";
import { MAP_TYPE } from "../gadget/mod.ts";
import type { MapBatch } from "./map_batch.ts";
import { Stretch } from "./_stretch.ts";

/** Elements lent at once: as many as this many bytes hold. */
const BATCH_BYTES = 256 << 10;

/**
 * The elements of one array.
 *
 * Layout: element i at `i · strideBytes`, its value size rounded up to 8 bytes.
 *
 * The kernel writes while others read. Therefore elements are copied, in whole aligned 64-bit words:
 * a counter is never seen half written, and whoever reads the copy twice reads the same.
 */
export class MappedArray {
  /** Bytes from value to value in what is lent. */
  readonly strideBytes: number;
  readonly #map: BpfMap;
  readonly #memory: MappedMemory;
  readonly #cells: BigUint64Array;
  readonly #copy: BigUint64Array<ArrayBuffer>;
  readonly #copyView: DataView;
  /** 0, 1, 2 …; element i has key i. */
  readonly #keys: Uint32Array<ArrayBuffer>;
  #open = true;

  /** Maps the array; undefined for other maps, and where the kernel refuses (locks in the value). */
  static open(map: BpfMap): MappedArray | undefined {
    if (map.type !== MAP_TYPE.array || (map.flags & BPF_F_MMAPABLE) === 0) return undefined;
    const page = pageSizeBytes();
    const sizeBytes = map.maxEntries * strideOf(map);
    try {
      const memory = new MappedMemory({
        fd: map.fd,
        lengthBytes: Math.ceil(sizeBytes / page) * page,
        offsetBytes: 0,
        writable: false,
        what: `map ${map.name}`,
      });
      return new MappedArray(map, memory);
    } catch (error) {
      // System calls read the same, only slower.
      if (error instanceof KernelError) return undefined;
      throw error;
    }
  }

  private constructor(map: BpfMap, memory: MappedMemory) {
    this.#map = map;
    this.#memory = memory;
    this.strideBytes = strideOf(map);
    this.#cells = new BigUint64Array(memory.buffer);
    const room = Math.min(map.maxEntries, Math.ceil(BATCH_BYTES / this.strideBytes));
    this.#copy = new BigUint64Array(room * this.strideBytes / 8);
    this.#copyView = new DataView(this.#copy.buffer);
    this.#keys = Uint32Array.from({ length: map.maxEntries }, (_, index) => index);
  }

  /** Lends every element once, in order. @returns elements read. */
  async readAll(process: (batch: MapBatch) => void): Promise<number> {
    const { maxEntries } = this.#map;
    const room = this.#copy.byteLength / this.strideBytes;
    const stretch = new Stretch();
    for (let first = 0; first < maxEntries; first += room) {
      // One who closes while others have their turn has not waited.
      if (!this.#open) throw new Error(`BUG: map ${this.#map.name} is read after close`);
      const count = Math.min(room, maxEntries - first);
      copyCells(this.#cells, first * this.strideBytes / 8, {
        target: this.#copy,
        count: count * this.strideBytes / 8,
      });
      process({ keys: new DataView(this.#keys.buffer, first * 4), values: this.#copyView, count });
      await stretch.pause();
    }
    return maxEntries;
  }

  close(): void {
    this.#open = false;
    this.#memory.close();
  }
}

function strideOf(map: BpfMap): number {
  return map.valueSizeBytes + 7 & -8;
}

/** One load per word, unlike `set`, whose memmove may use any width. */
function copyCells(
  source: BigUint64Array,
  start: number,
  { target, count }: { target: BigUint64Array; count: number },
): void {
  for (let index = 0; index < count; index++) target[index] = source[start + index];
}
