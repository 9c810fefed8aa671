/** The clocks of this host, as formatters want them. */

import { readBootTimeNs, readWallTimeNs } from "../../ffi/mod.ts";

/** CLOCK_BOOTTIME and the wall clock, read together. JavaScript's clock does not follow when that is set. */
export function readClocks(): { bootNs: bigint; wallNs: bigint } {
  return { bootNs: readBootTimeNs(), wallNs: readWallTimeNs() };
}
