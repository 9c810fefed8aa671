/** What formatters need from the host, so that tests can bring their own. */

import type { FileAccess } from "./account_names.ts";
import type { ClockReading } from "./boot_clock.ts";
import type { Architecture } from "./syscall_names.ts";

export interface EnrichEnvironment {
  readonly architecture: Architecture;
  readonly files: FileAccess;
  /** Reads CLOCK_BOOTTIME and the wall clock together. */
  readClocks(): ClockReading;
  /** Monotonic time in ms, for how often files are looked at. */
  nowMs(): number;
  /** Minutes that local time is ahead of UTC at a time in ms since the epoch. */
  zoneMinutesAt(epochMs: number): number;
  /** Text of a kernel stack by its id in the gadget's stack map; without it the id is shown. */
  readonly kernelStack?: (id: number) => string;
}

/** The environment of this host. `readClocks` needs a system call, so the engine gives it. */
export function hostEnvironment(
  given: Pick<EnrichEnvironment, "readClocks" | "kernelStack">,
): EnrichEnvironment {
  return {
    ...given,
    architecture: Deno.build.arch,
    files: hostFiles,
    nowMs: () => performance.now(),
    zoneMinutesAt: (epochMs) => -new Date(epochMs).getTimezoneOffset(),
  };
}

/** Names are an extra: a file that is missing or closed to us means numbers, not a failure. */
const hostFiles: FileAccess = {
  modifiedMs: (path) => unlessUnreadable(() => Deno.statSync(path).mtime?.getTime()),
  readText: (path) => unlessUnreadable(() => Deno.readTextFileSync(path)),
};

function unlessUnreadable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return undefined;
  }
}
