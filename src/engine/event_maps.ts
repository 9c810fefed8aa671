/** Ring buffers for kernels that have none (before 5.8): the gadget's maps become perf buffers. */

import { type BpfMap, hasRingBuffers, readKernelFile } from "../../ffi/mod.ts";
import { UnsupportedError } from "../errors.ts";
import { MAP_TYPE } from "../gadget/mod.ts";
import type { ParsedGadget } from "./parse_gadget.ts";
import type { RunOptions } from "./run_options.ts";

/** By its name in the kernel's types `<gadget/buffer.h>` knows whether there are ring buffers. */
const RING_BUFFER_HELPER = "BPF_FUNC_ringbuf_reserve";

/**
 * Before loading: makes the ring buffers that `GADGET_TRACER_MAP` made perf event arrays, if the programs will
 * send to them as such. They decide by the kernel's types, so that is what is asked here too: `--btf FILE`, if it
 * is given; else the kernel itself, whose types say the same.
 *
 * @throws UnsupportedError for a ring buffer that the gadget needs as such.
 */
export function adaptEventMaps(
  maps: readonly BpfMap[],
  { gadget, btfFile }: { gadget: ParsedGadget; btfFile: RunOptions["btfFile"] },
): void {
  const rings = maps.filter(({ type }) => type === MAP_TYPE.ringBuffer);
  if (rings.length === 0 || promisesRingBuffers(btfFile)) return;
  for (const map of rings) {
    if (!gadget.tracerMaps.includes(map.name)) {
      throw new UnsupportedError(
        `Cannot load ${gadget.spec.name}: its map ${map.name} is a ring buffer, which ` +
          (btfFile === undefined ? "this kernel does not have" : `"${btfFile}" does not name`),
        {
          feature: "BPF_MAP_TYPE_RINGBUF",
          hint: "Linux 5.8 has them; GADGET_TRACER_MAP makes one that can be a perf buffer instead",
        },
      );
    }
    map.becomePerfEventArray();
  }
}

function promisesRingBuffers(btfFile: string | undefined): boolean {
  if (btfFile === undefined) return hasRingBuffers();
  const name = new TextEncoder().encode(`\0${RING_BUFFER_HELPER}\0`);
  return includesBytes(readKernelFile(btfFile), name);
}

function includesBytes(bytes: Uint8Array, wanted: Uint8Array): boolean {
  // The second byte is rarer than the first, which is the end of every name.
  for (let at = bytes.indexOf(wanted[1], 1); at > 0; at = bytes.indexOf(wanted[1], at + 1)) {
    if (wanted.every((byte, index) => bytes[at - 1 + index] === byte)) return true;
  }
  return false;
}
