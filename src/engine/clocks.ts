/** The clocks of this host, as formatters want them. */

import { readBootTimeNs } from "../../ffi/mod.ts";

/** CLOCK_BOOTTIME and the wall clock, read together. */
export function readClocks(): { bootNs: bigint; wallNs: bigint } {
  const bootNs = readBootTimeNs();
  return { bootNs, wallNs: BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)) };
}
