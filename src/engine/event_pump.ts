/**
 * Drains event buffers: asleep in epoll while nothing happens, in bulk while much does.
 *
 * The kernel wakes a sleeping consumer for the first record only; each wake costs about 200 µs of
 * CPU here, far more than the records. So after a wake the pump drains on a timer until a round
 * finds nothing. The pause is short enough for a terminal and for the ring at the rate just seen.
 */

import { Poller } from "../../ffi/mod.ts";

/** What the pump drains. */
export interface Drainable {
  /** Become readable when there is something to drain. */
  readonly fds: readonly number[];
  readonly sizeBytes: number;
  /** Consumes what is there. @returns bytes consumed. */
  drain(): number;
}

/** Longest pause between two rounds, and so the longest that a row waits. */
const MAX_PAUSE_MS = 20;
/** Pause after a wake; it doubles while rounds find something and the ring does not fill. */
const FIRST_PAUSE_MS = 1;
/** Part of a ring that may fill during a pause. */
const FILL_TARGET = 0.25;

/** One loop over all event buffers of a gadget. */
export class EventPump {
  readonly #poller = new Poller();
  readonly #sources: readonly Drainable[];
  #running = true;
  readonly #done: Promise<void>;
  #endPause: (() => void) | undefined;

  /** Starts at once. @throws KernelError; nothing stays open then. */
  constructor(sources: readonly Drainable[]) {
    this.#sources = sources;
    try {
      for (const fd of sources.flatMap(({ fds }) => fds)) this.#poller.add(fd);
    } catch (error) {
      void this.#poller.close();
      throw error;
    }
    this.#done = this.#run();
  }

  /** Resolves when the pump has ended; rejects with what made it fail. */
  get done(): Promise<void> {
    return this.#done;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#poller.wait();
      let pauseMs = this.#round(0);
      // Readable, and nothing to take: the first record is still being written.
      if (pauseMs === 0 && this.#running) await this.#pause(FIRST_PAUSE_MS);
      while (pauseMs > 0 && this.#running) {
        await this.#pause(pauseMs);
        pauseMs = this.#round(pauseMs);
      }
    }
  }

  /** Drains all. @returns how long to pause before the next round; 0 if nothing came. */
  #round(sincePauseMs: number): number {
    let fullest = 0;
    for (const source of this.#sources) {
      fullest = Math.max(fullest, source.drain() / source.sizeBytes);
    }
    if (fullest === 0) return 0;
    if (sincePauseMs === 0) return FIRST_PAUSE_MS;
    return Math.min(MAX_PAUSE_MS, sincePauseMs * 2, sincePauseMs * FILL_TARGET / fullest);
  }

  #pause(pauseMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, pauseMs);
    this.#endPause = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }

  /** Drains what is left and ends. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#endPause?.();
    this.#poller.wake();
    try {
      await this.#done;
      // One round takes one buffer's worth; nobody writes any more.
      while (this.#round(0) > 0);
    } finally {
      await this.#poller.close();
    }
  }
}
