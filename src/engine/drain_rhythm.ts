/**
 * When to drain event buffers: asleep while nothing happens, in bulk while much does.
 *
 * Being woken costs far more than an event, for the reader and for the producer. So after a wake the
 * reader drains on a timer until a round finds nothing. The pause is short enough for a terminal, for
 * the ring at the rate just seen, and for a storm that begins meanwhile.
 */

/** What is drained. */
export interface Drainable {
  readonly sizeBytes: number;
  /** True if what fills the buffer wakes the reader seldom enough: then there is no pause for it. */
  readonly isPaced: boolean;
  /** Consumes what is there. @returns bytes consumed. */
  drain(): number;
  /** To be called before waiting: asks the kernel to wake the reader. */
  rest(): void;
}

/** Longest pause between two rounds, and so the longest that an event waits. */
const MAX_PAUSE_MS = 20;
/** Pause after a wake; it doubles while rounds find something and the ring does not fill. */
export const FIRST_PAUSE_MS = 1;
/** Part of a ring that may fill during a pause. */
const FILL_TARGET = 0.25;
/** What a sudden storm may bring: twice what threads on two CPUs made by opening files (100 MB/s). */
const STORM_BYTES_PER_MS = 200_000;

/** Drains all. @returns how long to pause before the next round; 0 if nothing came. */
export function drainRound(sources: readonly Drainable[], sincePauseMs: number): number {
  let fullest = 0;
  let longestMs = MAX_PAUSE_MS;
  for (const source of sources) {
    const consumed = source.drain();
    if (source.isPaced) continue;
    fullest = Math.max(fullest, consumed / source.sizeBytes);
    longestMs = Math.min(longestMs, source.sizeBytes / STORM_BYTES_PER_MS);
  }
  if (fullest === 0) return 0;
  if (sincePauseMs === 0) return Math.min(longestMs, FIRST_PAUSE_MS);
  return Math.min(longestMs, sincePauseMs * 2, sincePauseMs * FILL_TARGET / fullest);
}
