/**
 * The thread that drains event buffers and counts, seen from the main thread: a scrape never keeps
 * it from draining, and it never keeps a scrape waiting.
 */

import { chosenLibbpf, Poller } from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";
import {
  CONTROL_WORDS,
  DONE,
  type IngestJob,
  type IngestReply,
  REQUESTED,
  STOP,
} from "./ingest_job.ts";

/** How long a stop waits for the thread to count what is left. */
export const STOP_MS = 5000;
const ETIMEDOUT = 110;

/** How long a scrape waits for events that are on their way. */
export const CATCH_UP_MS = 1000;

/** One thread for all event buffers of a gadget. Ownership: `stop()` ends it. */
export class IngestThread {
  readonly #worker: Worker;
  readonly #poller = new Poller();
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
  readonly #ready = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  #hasJob = false;
  #hasEnded = false;
  #hasFailed = false;
  #isStuck = false;

  /** Starts the thread, which takes a while: best before everything else. */
  constructor() {
    this.#worker = new Worker(new URL("./ingest_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<IngestReply>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.error ?? new Error(event.message));
    };
    // Whoever waits for one of these learns of it; nobody has to.
    for (const { promise } of [this.#ready, this.#stopped, this.#failed]) promise.catch(() => {});
  }

  #take(reply: IngestReply): void {
    switch (reply.kind) {
      case "ready":
        return this.#ready.resolve();
      case "stopped":
        return this.#stopped.resolve();
      case "failed":
        return this.#fail(reply.error);
    }
  }

  #fail(cause: unknown): void {
    this.#hasEnded = true;
    this.#hasFailed = true;
    const message = cause instanceof Error ? cause.message : String(cause);
    const error = new Error(`Events are no longer counted: ${message}`, { cause });
    this.#ready.reject(error);
    this.#stopped.reject(error);
    this.#failed.reject(error);
  }

  /** Rejects if the thread dies; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Gives the thread its buffers. Resolves when it is ready to drain them.
   * @param fds become readable when there is something to drain.
   */
  async run(
    work: Pick<IngestJob, "sources" | "stackMap">,
    fds: readonly number[],
  ): Promise<void> {
    for (const fd of fds) this.#poller.add(fd);
    const job: IngestJob = {
      ...work,
      poller: this.#poller.handle,
      control: this.#control.buffer as SharedArrayBuffer,
      libbpf: chosenLibbpf(),
    };
    this.#worker.postMessage(job);
    this.#hasJob = true;
    await this.#ready.promise;
  }

  /**
   * Resolves when all events are counted that are in the buffers now, or after a short while; at once
   * if the thread has ended.
   * @returns false if they are not all counted: the thread is stuck, starved or dead.
   */
  async catchUp(): Promise<boolean> {
    if (this.#hasEnded) return !this.#hasFailed;
    const request = Atomics.add(this.#control, REQUESTED, 1) + 1;
    this.#poller.wake();
    const deadlineMs = performance.now() + CATCH_UP_MS;
    for (;;) {
      const done = Atomics.load(this.#control, DONE);
      const leftMs = deadlineMs - performance.now();
      if (request - done <= 0) return true;
      if (this.#hasEnded || leftMs <= 0) return !this.#hasFailed && leftMs > 0;
      const { async, value } = Atomics.waitAsync(this.#control, DONE, done, leftMs);
      if (async) await Promise.race([value, this.#failed.promise.catch(() => {})]);
    }
  }

  /** True once the thread did not end in time. It may read its buffers until the process ends. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /**
   * Lets the thread take what is left and ends it. Then nobody reads the buffers any more.
   * @throws KernelError if it does not end: then what it reads must stay mapped.
   */
  async stop(): Promise<void> {
    this.#hasEnded = true;
    Atomics.store(this.#control, STOP, 1);
    this.#poller.wake();
    try {
      if (this.#hasJob) await this.#ended();
    } finally {
      if (!this.#isStuck) {
        this.#worker.terminate();
        await this.#poller.close();
      }
    }
  }

  async #ended(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#isStuck = true;
      late.reject(
        new KernelError(
          `Cannot count what is left: ETIMEDOUT, the thread that counts has not ended in ${
            STOP_MS / 1000
          } s`,
          {
            call: "stop",
            errno: ETIMEDOUT,
            hint: "a --filter with a regular expression that takes for ever may be why",
          },
        ),
      );
    }, STOP_MS);
    try {
      await Promise.race([this.#stopped.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
