/** Work in pieces, so that timers, scrapes and events get their turn in between. */

/** Longest that a reader keeps the JavaScript thread for itself. */
const MAX_STRETCH_MS = 2;

/** Measures how long the thread has been kept. */
export class Stretch {
  #startMs = performance.now();

  /** Lets others work if it has been long. */
  async pause(): Promise<void> {
    if (performance.now() - this.#startMs < MAX_STRETCH_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#startMs = performance.now();
  }
}
