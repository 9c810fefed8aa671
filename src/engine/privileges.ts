/** Whether this process may load eBPF programs. */

import { isRoot } from "../../ffi/mod.ts";

/** Bits of CapEff in /proc/self/status (linux/capability.h). */
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;
const CAP_BPF = 39n;

/** What allows it, in words; undefined if nothing does. */
export function loadingPrivilege(): string | undefined {
  if (isRoot()) return "root";
  const status = Deno.readTextFileSync("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const has = (capability: bigint) => (effective >> capability & 1n) === 1n;
  if (has(CAP_SYS_ADMIN)) return "CAP_SYS_ADMIN";
  return has(CAP_BPF) && has(CAP_PERFMON) ? "CAP_BPF and CAP_PERFMON" : undefined;
}
