/** Reads a map entry by entry, two system calls each: where the kernel has no batch calls for it. */

import type { BpfMap } from "../../ffi/mod.ts";
import { UnsupportedError } from "../errors.ts";
import type { MapBatch } from "./map_batch.ts";
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
  /** Entries that the buffers hold. */
  readonly #room: number;

  constructor(map: BpfMap, valueStrideBytes: number) {
    this.#map = map;
    this.#valueStrideBytes = valueStrideBytes;
    this.#room = Math.max(1, Math.min(ROOM, map.maxEntries));
    this.#keys = new Uint8Array(this.#room * map.keySizeBytes);
    this.#values = new Uint8Array(this.#room * valueStrideBytes);
  }

  /**
   * Lends every entry once.
   * @returns entries read.
   * @throws UnsupportedError if keys come and go faster than they can be walked: then entries may be
   * missing from what was lent.
   */
  async readAll(
    process: (batch: MapBatch) => void,
    { remove }: { remove: boolean },
  ): Promise<number> {
    if (remove) {
      // Keys first: a walk over a map that shrinks under it would begin anew.
      const keys: number[] = [];
      await this.#walk((key) => keys.push(...key));
      return await this.removeKeys(Uint8Array.from(keys), process);
    }
    let total = 0;
    let count = 0;
    await this.#walk((key, value) => {
      this.#put(count++, { key, value });
      total++;
      if (count === this.#room) {
        process(this.#batch(count));
        count = 0;
      }
    });
    if (count > 0) process(this.#batch(count));
    return total;
  }

  /**
   * Meets each key once, with its value.
   *
   * The kernel begins anew when the key that a walk stands on is gone, and LRU maps evict all the
   * time. So the key is looked up after each step, and if it is gone, the walk goes on from the last
   * one that is still there.
   */
  async #walk(
    visit: (key: Uint8Array<ArrayBuffer>, value: Uint8Array) => void,
  ): Promise<void> {
    const value = new Uint8Array(this.#valueStrideBytes);
    const stretch = new Stretch();
    const met = new Set<string>();
    const trail: Uint8Array<ArrayBuffer>[] = [];
    let key = this.#keyAfter(null);
    for (let steps = 1; key !== undefined; steps++) {
      const next = this.#keyAfter(key);
      if (this.#map.lookup(key, value)) {
        const hex = key.toHex();
        if (!met.has(hex)) visit(key, value);
        met.add(hex);
        trail.push(key);
        key = next;
      } else {
        key = trail.pop() ?? this.#keyAfter(null);
      }
      this.#checkSteps(steps);
      if (steps % this.#room === 0) await stretch.pause();
    }
  }

  #checkSteps(steps: number): void {
    const { name, maxEntries } = this.#map;
    if (steps <= maxEntries * MAX_ROUNDS) return;
    throw new UnsupportedError(
      `Cannot read map ${name}: its keys come and go faster than they can be walked`,
      { feature: "batch reads of maps", hint: "Linux 5.6 or newer reads such maps in batches" },
    );
  }

  #keyAfter(key: Uint8Array<ArrayBuffer> | null): Uint8Array<ArrayBuffer> | undefined {
    const next = new Uint8Array(this.#map.keySizeBytes);
    return this.#map.nextKey(key, next) ? next : undefined;
  }

  /**
   * Takes the entries of some keys out and lends them; those that are gone are left out.
   * @param keys map keys in a row.
   * @returns entries read.
   */
  async removeKeys(
    keys: Uint8Array<ArrayBuffer>,
    process: (batch: MapBatch) => void,
  ): Promise<number> {
    const { keySizeBytes } = this.#map;
    const value = new Uint8Array(this.#valueStrideBytes);
    const stretch = new Stretch();
    let total = 0;
    let count = 0;
    for (let at = 0; at < keys.length; at += keySizeBytes) {
      const key = keys.subarray(at, at + keySizeBytes);
      if (!this.#map.lookupAndDelete(key, value)) continue;
      this.#put(count++, { key, value });
      if (count < this.#room) continue;
      process(this.#batch(count));
      total += count;
      count = 0;
      await stretch.pause();
    }
    if (count > 0) process(this.#batch(count));
    return total + count;
  }

  /** Puts an entry into the buffers. */
  #put(entry: number, { key, value }: { key: Uint8Array; value: Uint8Array }): void {
    this.#keys.set(key, entry * key.length);
    this.#values.set(value, entry * value.length);
  }

  #batch(count: number): MapBatch {
    return {
      keys: new DataView(this.#keys.buffer),
      values: new DataView(this.#values.buffer),
      count,
    };
  }
}
