/** How many series all data sources may have together: one number that all threads share. */

/** Series of all data sources together unless `--metrics-limit` says otherwise. */
export const DEFAULT_TOTAL_SERIES_LIMIT = 1_000_000;

const TAKEN_WORD = 0;
const LIMIT_WORD = 1;

/** What another thread needs to share the budget; can be posted to it. */
export type SeriesBudgetHandle = SharedArrayBuffer;

/** A number of places for series. Asked only when a series is made: an event of a known key costs nothing. */
export class SeriesBudget {
  /** Places taken, and places there are. */
  readonly #words: Int32Array;

  constructor(handle: SeriesBudgetHandle) {
    this.#words = new Int32Array(handle);
  }

  /** Series that have a place. */
  get taken(): number {
    return Atomics.load(this.#words, TAKEN_WORD);
  }

  get limit(): number {
    return this.#words[LIMIT_WORD];
  }

  /** Series that have a place keep it. */
  set limit(limit: number) {
    this.#words[LIMIT_WORD] = limit;
  }

  /** True if no place is left. */
  get isExhausted(): boolean {
    return this.taken >= this.limit;
  }

  /** Takes a place. @returns false if none is left. */
  take(): boolean {
    for (;;) {
      const taken = this.taken;
      if (taken >= this.limit) return false;
      // Another thread may have taken it meanwhile: adding first would let the limit be passed.
      if (Atomics.compareExchange(this.#words, TAKEN_WORD, taken, taken + 1) === taken) return true;
    }
  }

  giveBack(count: number): void {
    Atomics.sub(this.#words, TAKEN_WORD, count);
  }
}

/** A budget of `limit` places, at most 2^31 - 1. */
export function allocateSeriesBudget(limit: number): SeriesBudgetHandle {
  const handle = new SharedArrayBuffer(8);
  new Int32Array(handle)[LIMIT_WORD] = limit;
  return handle;
}
