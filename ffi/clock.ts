/** Kernel clocks. */

import { libc } from "./libc.ts";

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;

/** CLOCK_BOOTTIME in ms: the same in all threads, and it never goes back. */
export function readBootTimeMs(): number {
  return Number(readBootTimeNs()) / 1e6;
}

/** CLOCK_BOOTTIME in ns: what `bpf_ktime_get_boot_ns` returns. */
export function readBootTimeNs(): bigint {
  return readClock(CLOCK_BOOTTIME);
}

/** CLOCK_REALTIME in ns since the epoch: jumps when somebody sets it. */
export function readWallTimeNs(): bigint {
  return readClock(CLOCK_REALTIME);
}

/** CLOCK_REALTIME in whole ms. */
export function readWallTimeMs(): number {
  return Number(readWallTimeNs() / 1_000_000n);
}

function readClock(clock: number): bigint {
  // struct timespec: i64 seconds, i64 nanoseconds.
  const time = new BigInt64Array(2);
  libc().clock_gettime(clock, time);
  return time[0] * 1_000_000_000n + time[1];
}
