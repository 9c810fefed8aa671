/** From the kernel's CLOCK_BOOTTIME to the wall clock. */

/** Both clocks read at the same moment, in nanoseconds. */
export interface ClockReading {
  readonly bootNs: bigint;
  /** Since the Unix epoch. */
  readonly wallNs: bigint;
}

/** How much newer than the last reading a timestamp must be for the clocks to be read again. */
const REFRESH_NS = 1_000_000_000n;
/** Old timestamps (map entries) never look new: read again after so many of them. */
const REFRESH_USES = 4096;

/**
 * Function from boot time to wall-clock time, both in nanoseconds.
 *
 * The offset follows the clocks: it is measured again when timestamps have moved on by a second, so
 * that neither NTP nor a suspend makes it drift. Cost: `readClocks` at most once a second of events.
 */
export function createBootToWall(readClocks: () => ClockReading): (bootNs: bigint) => bigint {
  let freshUntilNs = -1n;
  let offsetNs = 0n;
  let usesLeft = 0;
  return (bootNs) => {
    if (bootNs > freshUntilNs || usesLeft === 0) {
      const reading = readClocks();
      offsetNs = reading.wallNs - reading.bootNs;
      freshUntilNs = reading.bootNs + REFRESH_NS;
      usesLeft = REFRESH_USES;
    }
    usesLeft--;
    return bootNs + offsetNs;
  };
}
