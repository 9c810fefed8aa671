/** Which capabilities this process has, which it lacks, and how it gets rid of all. */

import {
  type Account,
  becomeUser,
  ENOENT,
  ESRCH,
  isRoot,
  listKernelFolder,
  readKernelText,
} from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";

/** Bits of the sets in /proc/PID/status (linux/capability.h). */
const CAPABILITY_BITS = {
  CAP_SETGID: 6n,
  CAP_SETUID: 7n,
  CAP_SYS_ADMIN: 21n,
  CAP_SYS_RESOURCE: 24n,
  CAP_PERFMON: 38n,
  CAP_BPF: 39n,
} as const;

export type Capability = keyof typeof CAPABILITY_BITS;

/** What the capabilities are needed for. */
export const CAPABILITY_USES: Readonly<Record<Capability, string>> = {
  CAP_SETGID: "to change the group",
  CAP_SETUID: "to change the user",
  CAP_SYS_ADMIN: "which kernels before 5.8 want for eBPF",
  CAP_SYS_RESOURCE: "to lock memory for maps, before kernel 5.11",
  CAP_PERFMON: "to trace the kernel",
  CAP_BPF: "to load programs and maps",
};

/** What of this process decides, as text of /proc. */
export interface ProcessFacts {
  /** /proc/self/status */
  readonly status: string;
  /** /proc/self/limits */
  readonly limits: string;
  /** Kernel release, for example `6.1.0-18-amd64`. */
  readonly release: string;
}

/**
 * What loading needs and the process has not. No kind of program that kmeter attaches needs CAP_NET_ADMIN: those
 * that do are refused for want of a target.
 */
export function missingCapabilities(facts: ProcessFacts = readProcessFacts()): Capability[] {
  const isAtLeast = releaseComparer(facts.release);
  const has = capabilityReader(facts);
  const missing: Capability[] = [];
  if (!has("CAP_SYS_ADMIN")) {
    const wanted: Capability[] = isAtLeast(5, 8) ? ["CAP_BPF", "CAP_PERFMON"] : ["CAP_SYS_ADMIN"];
    missing.push(...wanted.filter((capability) => !has(capability)));
  }
  const isLockedFreely = isAtLeast(5, 11) || /^Max locked memory +unlimited/m.test(facts.limits);
  if (!isLockedFreely && !has("CAP_SYS_RESOURCE")) missing.push("CAP_SYS_RESOURCE");
  return missing;
}

/** What `leaveRoot` needs and the process has not, if it runs as root. */
export function missingToLeaveRoot(facts: ProcessFacts = readProcessFacts()): Capability[] {
  const has = capabilityReader(facts);
  const wanted: readonly Capability[] = ["CAP_SETUID", "CAP_SETGID"];
  return wanted.filter((capability) => !has(capability));
}

/** What allows loading, in words; undefined if something is missing. */
export function loadingPrivilege(): string | undefined {
  const facts = readProcessFacts();
  if (missingCapabilities(facts).length > 0) return undefined;
  if (isRoot()) return "root";
  return capabilityReader(facts)("CAP_SYS_ADMIN") ? "CAP_SYS_ADMIN" : "CAP_BPF and CAP_PERFMON";
}

function readProcessFacts(): ProcessFacts {
  return {
    status: readKernelText("/proc/self/status"),
    limits: readKernelText("/proc/self/limits"),
    release: Deno.osRelease(),
  };
}

function capabilityReader({ status }: ProcessFacts): (capability: Capability) => boolean {
  const effective = BigInt(`0x${statusField(status, "CapEff")}`);
  return (capability) => (effective >> CAPABILITY_BITS[capability] & 1n) === 1n;
}

function releaseComparer(release: string): (major: number, minor: number) => boolean {
  const [ownMajor, ownMinor] = release.split(".").map((part) => parseInt(part));
  return (major, minor) => ownMajor > major || ownMajor === major && ownMinor >= minor;
}

/** Fields of /proc/PID/task/TID/status that must be all zeros in a process without rights. */
const CAPABILITY_SETS = ["CapInh", "CapPrm", "CapEff", "CapAmb"] as const;

/**
 * Makes this process another user's for good, and looks at each of its threads whether it has come true: no
 * capability in any set that gives one, `no_new_privs` set.
 * **Throws** KernelError; some of it may have happened then.
 */
export function leaveRoot(account: Account): void {
  becomeUser(account);
  for (const { name: thread } of listKernelFolder("/proc/self/task")) {
    const status = readIfThere(`/proc/self/task/${thread}/status`);
    const kept = status === undefined ? undefined : findPrivilege(status, account);
    if (kept === undefined) continue;
    throw new KernelError(`Cannot leave root: thread ${thread} still has ${kept}`, {
      call: "setresuid",
      errno: 1,
      hint: "start kmeter without inheritable capabilities and securebits " +
        "(setpriv --inh-caps=-all --securebits=-all kmeter ...)",
    });
  }
}

/** What a thread has beyond the account, as a line of its status; undefined if nothing. */
function findPrivilege(status: string, { uid, gid }: Account): string | undefined {
  const wanted: [string, string][] = [
    ["Uid", Array(4).fill(uid).join("\t")],
    ["Gid", Array(4).fill(gid).join("\t")],
    ["NoNewPrivs", "1"],
  ];
  for (const name of CAPABILITY_SETS) wanted.push([name, "0".repeat(16)]);
  const [name] = wanted.find(([name, value]) => statusField(status, name) !== value) ?? [];
  return name && `${name} ${statusField(status, name).replaceAll("\t", " ")}`;
}

function statusField(status: string, name: string): string {
  const value = new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
  if (value === undefined) throw new Error(`BUG: no ${name} in the status of a process`);
  return value;
}

/** Undefined if the thread has ended meanwhile. */
function readIfThere(path: string): string | undefined {
  try {
    return readKernelText(path);
  } catch (error) {
    const hasEnded = error instanceof KernelError && [ENOENT, ESRCH].includes(error.errno);
    if (!hasEnded) throw error;
  }
}
