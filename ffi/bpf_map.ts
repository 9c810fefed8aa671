/** Maps of a loaded object: single and batch access, and the memory of global variables. */

import { EINVAL, ENOENT, ENOSPC, ENOTSUPP, EOPNOTSUPP, kernelError } from "./libc.ts";
import { libbpf, readCString } from "./libbpf.ts";

const PERF_EVENT_ARRAY = 4;

/** How a batch call ended. */
export type BatchEnd =
  /** More entries follow: call again with the cursor. */
  | "more"
  /** The last entries; `count` of them are valid. */
  | "end"
  /** One bucket holds more than the room given: grow and repeat with the same cursor. */
  | "no-space"
  /** This kernel or map type has no such batch call. */
  | "unsupported";

/** Buffers of a batch read. Owned by the caller, reused from call to call. */
export interface BatchBuffers {
  readonly keys: Uint8Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
  /** `[room in, entries out]` of the call. */
  readonly count: Uint32Array<ArrayBuffer>;
}

/** One batch call. */
export interface BatchCall {
  readonly buffers: BatchBuffers;
  /**
   * Where the last call ended and, afterwards, where this one did: at least 4 bytes and the key size,
   * the kernel writes that much.
   */
  readonly cursor: Uint8Array<ArrayBuffer>;
  /** True to start, false to go on from the cursor. */
  readonly first: boolean;
  /** Take the entries out. */
  readonly remove: boolean;
  /** Entries that the buffers hold. */
  readonly room: number;
}

/** `map_flags` that kmeter knows (linux/bpf.h). */
export const BPF_F_MMAPABLE = 1 << 10;

/** Errors that say: this kernel or this map type has no such operation. */
const UNSUPPORTED: ReadonlySet<number> = new Set([EINVAL, ENOTSUPP, EOPNOTSUPP]);

/** One `struct bpf_map`. Lives as long as its object. */
export class BpfMap {
  readonly name: string;
  readonly type: number;
  readonly keySizeBytes: number;
  /** Size of one value; of one CPU's value in per-CPU maps. */
  readonly valueSizeBytes: number;
  /** `BPF_F_…` bits. */
  readonly flags: number;
  readonly #handle: Deno.PointerObject;

  constructor(handle: Deno.PointerObject) {
    this.#handle = handle;
    this.name = readCString(libbpf().bpf_map__name(handle)) ?? "";
    this.type = libbpf().bpf_map__type(handle);
    this.keySizeBytes = libbpf().bpf_map__key_size(handle);
    this.valueSizeBytes = libbpf().bpf_map__value_size(handle);
    this.flags = libbpf().bpf_map__map_flags(handle);
  }

  /** Descriptor; valid after loading. */
  get fd(): number {
    return libbpf().bpf_map__fd(this.#handle);
  }

  get maxEntries(): number {
    return libbpf().bpf_map__max_entries(this.#handle);
  }

  /**
   * Before loading: makes it a perf event array, with an element for each CPU. A `BpfMap` that was made
   * before still has the old type and sizes.
   */
  becomePerfEventArray(): void {
    const { bpf_map__set_type, bpf_map__set_key_size, bpf_map__set_value_size } = libbpf();
    const result = bpf_map__set_type(this.#handle, PERF_EVENT_ARRAY) ||
      bpf_map__set_key_size(this.#handle, 4) || bpf_map__set_value_size(this.#handle, 4);
    if (result < 0) this.#fail("bpf_map__set_type", -result, "change");
    // libbpf puts the number of CPUs there.
    this.setMaxEntries(0);
  }

  /** Before loading. */
  setMaxEntries(count: number): void {
    const result = libbpf().bpf_map__set_max_entries(this.#handle, count);
    if (result < 0) this.#fail("bpf_map__set_max_entries", -result, "resize");
  }

  /**
   * Before loading: the bytes of a `.rodata`, `.data` or `.bss` map, writable in place.
   * Ownership: libbpf's; dies at load.
   */
  initialValue(): Uint8Array {
    const size = new BigUint64Array(1);
    const pointer = libbpf().bpf_map__initial_value(this.#handle, size);
    if (pointer === null) throw new Error(`BUG: map ${this.name} has no initial value`);
    return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, Number(size[0])));
  }

  /** Reads one entry. @returns false if the key is not there. */
  lookup(key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>): boolean {
    return this.#single("bpf_map_lookup_elem", libbpf().bpf_map_lookup_elem(this.fd, key, value));
  }

  /**
   * Reads and removes one entry, in two steps where the kernel (before 5.14) has no single one.
   * @returns false if the key is not there.
   */
  lookupAndDelete(key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>): boolean {
    const result = libbpf().bpf_map_lookup_and_delete_elem(this.fd, key, value);
    if (UNSUPPORTED.has(-result)) return this.lookup(key, value) && this.delete(key);
    return this.#single("bpf_map_lookup_and_delete_elem", result);
  }

  /** Writes one entry, whether it exists or not. */
  update(key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>): void {
    const result = libbpf().bpf_map_update_elem(this.fd, key, value, 0n);
    if (result < 0) this.#fail("bpf_map_update_elem", -result, "write");
  }

  /** Removes one entry. @returns false if the key is not there. */
  delete(key: Uint8Array<ArrayBuffer>): boolean {
    return this.#single("bpf_map_delete_elem", libbpf().bpf_map_delete_elem(this.fd, key));
  }

  /** Writes the key after `key` (null: the first) into `next`. @returns false at the end. */
  nextKey(key: Uint8Array<ArrayBuffer> | null, next: Uint8Array<ArrayBuffer>): boolean {
    return this.#single("bpf_map_get_next_key", libbpf().bpf_map_get_next_key(this.fd, key, next));
  }

  /**
   * Reads many entries with one system call. Cost: blocks while the kernel copies.
   * @throws KernelError for anything that is not one of the ends.
   */
  lookupBatch(batch: BatchCall): BatchEnd {
    const call = batch.remove ? "bpf_map_lookup_and_delete_batch" : "bpf_map_lookup_batch";
    return this.#batchEnd(call, libbpf()[call](...this.#batchArguments(batch)));
  }

  /**
   * As `lookupBatch`, on another thread.
   * Ownership: nobody may touch the buffers, the cursor or the map until it resolves.
   * Cost: some 70 µs more.
   */
  async lookupBatchAside(batch: BatchCall): Promise<BatchEnd> {
    const call = batch.remove ? "bpf_map_lookup_and_delete_batch" : "bpf_map_lookup_batch";
    const aside = batch.remove ? "pool_map_lookup_and_delete_batch" : "pool_map_lookup_batch";
    return this.#batchEnd(call, await libbpf()[aside](...this.#batchArguments(batch)));
  }

  #batchArguments({ buffers, cursor, first, room }: BatchCall) {
    buffers.count[0] = room;
    const { keys, values, count } = buffers;
    return [this.fd, first ? null : cursor, cursor, keys, values, count, null] as const;
  }

  #batchEnd(call: string, result: number): BatchEnd {
    switch (-result) {
      case 0:
        return "more";
      case ENOENT:
        return "end";
      case ENOSPC:
        return "no-space";
    }
    if (UNSUPPORTED.has(-result)) return "unsupported";
    return this.#fail(call, -result, "read");
  }

  #single(call: string, result: number): boolean {
    if (result === 0) return true;
    if (-result === ENOENT) return false;
    return this.#fail(call, -result, "access");
  }

  #fail(call: string, errno: number, verb: string): never {
    throw kernelError({ call, errno, what: `Cannot ${verb} map ${this.name}` });
  }
}

/** Reads one entry of a map that another thread has open. @returns false if that fails. */
export function lookupByDescriptor(
  fd: number,
  key: Uint8Array<ArrayBuffer>,
  value: Uint8Array<ArrayBuffer>,
): boolean {
  return libbpf().bpf_map_lookup_elem(fd, key, value) === 0;
}

/** Number of CPUs that the kernel reserves per-CPU values for. */
export function possibleCpuCount(): number {
  const count = libbpf().libbpf_num_possible_cpus();
  if (count < 0) {
    throw kernelError({
      call: "libbpf_num_possible_cpus",
      errno: -count,
      what: "Cannot count the CPUs",
    });
  }
  return count;
}
