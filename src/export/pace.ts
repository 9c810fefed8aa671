/** Lets other work of the main thread have its turn. */

import { yieldToEvents } from "../../ffi/mod.ts";

/** Far below the 10 ms that a busy main thread may be missed for: garbage collection comes on top. */
const MAX_STRETCH_MS = 3;

/** Shared by all that is rendered, since they take their turns in the same stretch. */
export class Pace {
  #sinceMs = performance.now();

  /** Gives the event loop a turn, if the last one was long ago. Cost: 80 µs if so. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#sinceMs < MAX_STRETCH_MS) return;
    // Timers come in a turn of their own, else what the pool answers would go before them again and again.
    await new Promise<void>((resolve) => setImmediate(resolve));
    await yieldToEvents();
    this.#sinceMs = performance.now();
  }
}
