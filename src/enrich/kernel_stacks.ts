/** Kernel stacks of a gadget: ids in its events, addresses in its stack map, names from kallsyms. */

import { lookupByDescriptor } from "../../ffi/mod.ts";
import type { KallsymsFile } from "./kallsyms_file.ts";
import { KernelSymbols } from "./kernel_symbols.ts";

/** Name of the stack map that `<gadget/kernel_stack_map.h>` declares. */
export const KERNEL_STACK_MAP = "ig_kstack";

/** A loaded stack map; can be posted to another thread. */
export interface StackMapHandle {
  readonly fd: number;
  readonly valueSizeBytes: number;
}

/**
 * Text of a stack by its id: `name; name; `, innermost first. An id that is an errno (negative), or
 * whose stack is gone, gives "".
 *
 * Cost: one lookup each; the first one reads kallsyms.
 */
export function kernelStackReader(
  { fd, valueSizeBytes }: StackMapHandle,
  kallsyms: KallsymsFile,
): (id: number) => string {
  const symbols = new KernelSymbols(() => kallsyms.readText());
  const key = new Uint32Array(1);
  const addresses = new BigUint64Array(valueSizeBytes / 8);
  return (id) => {
    key[0] = id;
    const value = new Uint8Array(addresses.buffer);
    return lookupByDescriptor(fd, new Uint8Array(key.buffer), value)
      ? symbols.stackText(addresses)
      : "";
  };
}
