/** Drains event buffers on the main thread: those whose records are only shown. */

import { Poller } from "../../ffi/mod.ts";
import { type Drainable, drainRound, FIRST_PAUSE_MS } from "./drain_rhythm.ts";

/** A buffer that the pump drains. */
export interface PumpSource extends Drainable {
  /** Become readable when there is something to drain. */
  readonly fds: readonly number[];
  /** True if somebody sees rows. */
  readonly isWatched: boolean;
  /** True if nobody who sees rows takes any. */
  readonly isFull: boolean;
  /** Says what is lost while the pump cannot drain. */
  tellLost(): void;
}

/** Pause while the output takes nothing. */
const FULL_PAUSE_MS = 20;

/** One loop over all event buffers of a gadget. */
export class EventPump {
  readonly #poller = new Poller();
  readonly #sources: readonly PumpSource[];
  #running = true;
  readonly #done: Promise<void>;
  #endPause: (() => void) | undefined;

  /**
   * Starts at once. While no row finds room events wait in their buffers, which count what they lose.
   * @throws KernelError; nothing stays open then.
   */
  constructor(sources: readonly PumpSource[]) {
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
      await this.#room();
      let pauseMs = drainRound(this.#sources, 0);
      // Readable, and nothing to take: the first record is still being written.
      if (pauseMs === 0 && this.#running) await this.#pause(FIRST_PAUSE_MS);
      while (pauseMs > 0 && this.#running) {
        await this.#pause(pauseMs);
        await this.#room();
        pauseMs = drainRound(this.#sources, pauseMs);
      }
      for (const source of this.#sources) source.rest();
    }
  }

  async #room(): Promise<void> {
    while (this.#running && this.#isFull()) {
      for (const source of this.#sources) source.tellLost();
      await this.#pause(FULL_PAUSE_MS);
    }
  }

  #isFull(): boolean {
    const watched = this.#sources.filter(({ isWatched }) => isWatched);
    return watched.length > 0 && watched.every(({ isFull }) => isFull);
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
      while (drainRound(this.#sources, 0) > 0);
    } finally {
      await this.#poller.close();
    }
  }
}
