/** Writes to a pipe or terminal without ever waiting for its reader. */

import { isWritable } from "../../ffi/mod.ts";

/** More is kept only of what was on its way already. */
export const FULL_BYTES = 1 << 20;
/** What a pipe takes at once if it takes anything (PIPE_BUF); a terminal may have less room. */
const PIECE_BYTES = 4096;
const TERMINAL_PIECE_BYTES = 256;
const RETRY_MS = 10;
/** A reader that takes nothing for so long is given up. */
export const PATIENCE_MS = 3000;

/** A standard stream. */
interface Stream {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** Bytes in order: at once while the reader keeps up, later when it does again. */
export class OutputQueue {
  readonly #stream: Stream;
  readonly #fd: number;
  readonly #onError: (error: unknown) => void;
  readonly #pieceBytes: number;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** When the reader last took something, or had nothing to take. */
  #lastTakenMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasFailed = false;

  /** @param options.onError called once, with what a write threw; further bytes are dropped. */
  constructor(stream: Stream, options: { fd: number; onError: (error: unknown) => void }) {
    this.#stream = stream;
    this.#fd = options.fd;
    this.#onError = options.onError;
    this.#pieceBytes = stream.isTerminal() ? TERMINAL_PIECE_BYTES : PIECE_BYTES;
  }

  /** True while nobody takes what was written. */
  get isFull(): boolean {
    return this.#queuedBytes >= FULL_BYTES;
  }

  /** Takes bytes, which are the queue's from now on. */
  write(bytes: Uint8Array): void {
    if (this.#hasFailed) return;
    if (this.#queuedBytes === 0) this.#lastTakenMs = performance.now();
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#timer === undefined) this.#advance();
  }

  #advance(): void {
    this.#timer = undefined;
    try {
      this.#writeWhatFits();
    } catch (error) {
      this.#hasFailed = true;
      this.#queue = [];
      this.#queuedBytes = 0;
      this.#onError(error);
    }
    if (this.#queue.length > 0) this.#timer = setTimeout(() => this.#advance(), RETRY_MS);
  }

  #writeWhatFits(): void {
    let done = 0;
    for (const bytes of this.#queue) {
      let rest = bytes;
      while (rest.length > 0 && isWritable(this.#fd)) {
        const written = this.#stream.writeSync(rest.subarray(0, this.#pieceBytes));
        rest = rest.subarray(written);
        this.#queuedBytes -= written;
        this.#lastTakenMs = performance.now();
      }
      if (rest.length > 0) {
        this.#queue[done] = rest;
        break;
      }
      done++;
    }
    this.#queue.splice(0, done);
  }

  /** Waits for room while the reader takes anything. @returns false if it does not. */
  async room(): Promise<boolean> {
    await this.#waitUntil(() => !this.isFull);
    return !this.isFull;
  }

  /** Waits that follow each other have one patience together. */
  async #waitUntil(isEnough: () => boolean): Promise<void> {
    while (!isEnough() && performance.now() < this.#lastTakenMs + PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Waits for the reader while it takes anything. @returns bytes that it did not take: they are dropped. */
  async flush(): Promise<number> {
    await this.#waitUntil(() => this.#queuedBytes === 0);
    clearTimeout(this.#timer);
    const left = this.#queuedBytes;
    this.#queue = [];
    this.#queuedBytes = 0;
    return left;
  }
}
