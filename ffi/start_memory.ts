/** Memory that only the start needed. */

import { KernelError } from "../src/errors.ts";
import { KernelFile } from "./kernel_files.ts";
import { libc } from "./libc.ts";

const MADV_DONTNEED = 4;
/** `START-END PERMISSIONS OFFSET DEVICE INODE`: code of a file. Nobody has written to it. */
const CODE_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ [1-9]/gm;

/**
 * Gives back what libbpf and Deno needed to start: memory that libc's heap holds and nobody uses, 1.3 MB for
 * trace_exec, and pages of machine code. Those that still run are mapped again, from the kernel's cache of files,
 * when they do: 7 MB fewer are resident after ten scrapes. **Cost**: some milliseconds.
 */
export function releaseStartMemory(): void {
  libc().malloc_trim(0n);
  for (const [, start, end] of readMappings().matchAll(CODE_MAPPING)) {
    const address = BigInt(`0x${start}`);
    libc().madvise(address, BigInt(`0x${end}`) - address, MADV_DONTNEED);
  }
}

/** Nothing if the kernel does not tell: then more stays resident. */
function readMappings(): string {
  try {
    using file = new KernelFile("/proc/self/maps");
    return file.readText();
  } catch (error) {
    if (error instanceof KernelError) return "";
    throw error;
  }
}
