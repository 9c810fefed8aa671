/** What maps of this kernel can do, found out by making small ones. */

import { closeDescriptor } from "./bpf_link.ts";
import { EINVAL, ENOENT, pageSizeBytes } from "./libc.ts";
import { libbpf } from "./libbpf.ts";

const HASH = 1;
const RING_BUFFER = 27;
const KEY_BYTES = 4;
const VALUE_BYTES = 8;

/** True if this kernel makes ring buffers; also if it does not let this process try. */
export function hasRingBuffers(): boolean {
  const fd = libbpf().bpf_map_create(RING_BUFFER, null, 0, 0, pageSizeBytes(), null);
  if (fd >= 0) closeDescriptor(fd);
  return fd !== -EINVAL;
}

/** How the entries of hashes can be read. */
export interface HashReads {
  /** Many with one call. */
  readonly inBatches: boolean;
  /** One, read and deleted at once. */
  readonly takesOut: boolean;
}

/** @returns undefined if this process may make no map. */
export function probeHashReads(): HashReads | undefined {
  const { bpf_map_create, bpf_map_lookup_batch, bpf_map_lookup_and_delete_elem } = libbpf();
  const fd = bpf_map_create(HASH, null, KEY_BYTES, VALUE_BYTES, 1, null);
  if (fd < 0) return undefined;
  const key = new Uint8Array(KEY_BYTES);
  const value = new Uint8Array(VALUE_BYTES);
  const cursor = new Uint8Array(KEY_BYTES);
  const count = Uint32Array.of(1);
  try {
    // There is no entry: a call that the kernel knows says so.
    return {
      inBatches: bpf_map_lookup_batch(fd, null, cursor, key, value, count, null) === -ENOENT,
      takesOut: bpf_map_lookup_and_delete_elem(fd, key, value) === -ENOENT,
    };
  } finally {
    closeDescriptor(fd);
  }
}
