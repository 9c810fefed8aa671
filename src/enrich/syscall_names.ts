/** System call numbers, which differ by architecture. */

import { type SyscallRuns, SYSCALLS_AARCH64, SYSCALLS_X86_64 } from "./_syscall_tables.ts";

/** Architectures kmeter knows, as `Deno.build.arch` names them. */
export type Architecture = "x86_64" | "aarch64";

/** Number → `SYS_OPENAT` for one architecture. Cost: builds the table; keep the result. */
export function syscallNames(architecture: Architecture): ReadonlyMap<number, string> {
  const runs: SyscallRuns = architecture === "x86_64" ? SYSCALLS_X86_64 : SYSCALLS_AARCH64;
  const names = new Map<number, string>();
  for (const [first, words] of runs) {
    words.trim().split(/\s+/).forEach((word, index) => {
      names.set(first + index, `SYS_${word.toUpperCase()}`);
    });
  }
  return names;
}
