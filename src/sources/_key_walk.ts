/** Reads a map entry by entry, two system calls each: where the kernel has no batch calls for it. */

import type { BpfMap } from "../../ffi/mod.ts";
import { UnsupportedError } from "../errors.ts";
import type { MapBatch } from "./map_reader.ts";
import { Stretch } from "./_stretch.ts";

/** Entries lent at once. */
const ROOM = 256;
/** A walk that has taken this many times the steps of a quiet one will not end. */
const MAX_ROUNDS = 16;

/** Walks over the keys of one map. */
export class KeyWalk {
  readonly #map: BpfMap;
  readonly #keys: Uint8Array<ArrayBuffer>;
  readonly #values: Uint8Array<ArrayBuffer>;
  readonly #valueStrideBytes: number;

  constructor(map: BpfMap, valueStrideBytes: number) {
    this.#map = map;
    this.#valueStrideBytes = valueStrideBytes;
    const room = Math.max(1, Math.min(ROOM, map.maxEntries));
    this.#keys = new Uint8Array(room * map.keySizeBytes);
    this.#values = new Uint8Array(room * valueStrideBytes);
  }

  /**
   * Lends every entry once.
   * @returns entries read.
   * @throws UnsupportedError if keys come and go faster than they can be walked: then entries may be
   * missing from what was lent.
   */
  async readAll(
    process: (batch: MapBatch) => void,
    options: { remove: boolean },
  ): Promise<number> {
    // Keys first: a walk over a map that shrinks under it would start again.
    const found = await this.#findKeys();
    const { keySizeBytes } = this.#map;
    const keys = new Uint8Array(found.size * keySizeBytes);
    let end = 0;
    for (const hex of found) {
      keys.subarray(end, end + keySizeBytes).setFromHex(hex);
      end += keySizeBytes;
    }
    return await this.readKeys(keys, { process, ...options });
  }

  /**
   * The keys as hex digits, each once. The kernel begins a walk anew when the key it stands on is
   * gone; LRU maps evict, so that happens in the midst of any walk.
   */
  async #findKeys(): Promise<Set<string>> {
    const { keySizeBytes, maxEntries, name } = this.#map;
    const stretch = new Stretch();
    const found = new Set<string>();
    const key = new Uint8Array(keySizeBytes);
    let steps = 0;
    for (let more = this.#map.nextKey(null, key); more; more = this.#map.nextKey(key, key)) {
      found.add(key.toHex());
      if (++steps > maxEntries * MAX_ROUNDS) {
        throw new UnsupportedError(
          `Cannot read map ${name}: its keys come and go faster than they can be walked`,
          { feature: "batch reads of maps", hint: "Linux 5.6 or newer reads such maps in batches" },
        );
      }
      if (steps % ROOM === 0) await stretch.pause();
    }
    return found;
  }

  /**
   * Lends the entries of some keys; those that are gone are left out.
   * @param keys map keys in a row.
   * @param options.remove take the entries out of the map.
   * @returns entries read.
   */
  async readKeys(
    keys: Uint8Array<ArrayBuffer>,
    options: { process: (batch: MapBatch) => void; remove: boolean },
  ): Promise<number> {
    const { process, remove } = options;
    const { keySizeBytes } = this.#map;
    const stretch = new Stretch();
    let total = 0;
    let count = 0;
    for (let at = 0; at < keys.length; at += keySizeBytes) {
      if (!this.#readOne(keys.subarray(at, at + keySizeBytes), { entry: count, remove })) continue;
      if (++count < this.#keys.length / keySizeBytes) continue;
      process(this.#batch(count));
      total += count;
      count = 0;
      await stretch.pause();
    }
    if (count > 0) process(this.#batch(count));
    return total + count;
  }

  /** Reads one entry to a place in the buffers. @returns false if it is gone. */
  #readOne(
    key: Uint8Array<ArrayBuffer>,
    { entry, remove }: { entry: number; remove: boolean },
  ): boolean {
    const stride = this.#valueStrideBytes;
    const value = this.#values.subarray(entry * stride, (entry + 1) * stride);
    this.#keys.set(key, entry * key.length);
    return remove ? this.#map.lookupAndDelete(key, value) : this.#map.lookup(key, value);
  }

  #batch(count: number): MapBatch {
    return {
      keys: new DataView(this.#keys.buffer),
      values: new DataView(this.#values.buffer),
      count,
    };
  }
}
