/** Runs a fetch on a schedule. */

import type { FetchSchedule } from "./run_options.ts";

/** Repeats a fetch until its count is reached or it is stopped. */
export class FetchTimer {
  readonly #schedule: FetchSchedule;
  readonly #fetch: () => void | Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #finished = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The fetch under way, or the last one. */
  #ticking: Promise<void> = Promise.resolve();
  #stopped = false;
  #done = 0;

  /**
   * Starts at once: the first fetch comes after the first interval.
   * @param options.onError takes what a fetch throws; the schedule goes on.
   */
  constructor(
    schedule: FetchSchedule,
    options: { fetch: () => void | Promise<void>; onError: (error: unknown) => void },
  ) {
    this.#schedule = schedule;
    this.#fetch = options.fetch;
    this.#onError = options.onError;
    this.#plan(performance.now());
  }

  /** Resolves after the last fetch of a limited schedule. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** True if all fetches of a limited schedule are done. */
  get isExhausted(): boolean {
    return this.#schedule.count > 0 && this.#done >= this.#schedule.count;
  }

  /** Intervals are kept from start to start, so that a slow fetch does not shift the next. */
  #plan(dueMs: number): void {
    if (this.#stopped) return;
    const nextMs = dueMs + this.#schedule.intervalMs;
    this.#timer = setTimeout(
      () => this.#ticking = this.#tick(nextMs),
      Math.max(0, nextMs - performance.now()),
    );
  }

  async #tick(dueMs: number): Promise<void> {
    try {
      await this.#fetch();
    } catch (error) {
      this.#onError(error);
    }
    this.#done++;
    if (this.isExhausted) this.#finished.resolve();
    else this.#plan(Math.max(dueMs, performance.now() - this.#schedule.intervalMs));
  }

  /** No fetch begins any more. Resolves when the one under way is done. */
  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    return this.#ticking;
  }
}
