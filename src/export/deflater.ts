/** Compression off the main thread. */

import type { DeflateAnswer, DeflatedPiece } from "./_gzip_worker.ts";

/** As many buffers as one scrape has under way: more than that need not be kept. */
const MAX_SPARE_BUFFERS = 3;

/** Owns the worker that compresses. It is started by the first piece, which costs 13 MB and 15 ms of this thread once. */
export class Deflater {
  #worker: Worker | undefined;
  /** Answers come in the order of the pieces. */
  #waiting: PromiseWithResolvers<DeflatedPiece>[] = [];
  /** A page is no garbage if its pieces lie where earlier ones lay. */
  readonly #spare: ArrayBuffer[] = [];
  #closed = false;

  /**
   * Ownership: takes `piece` away.
   * Throws: Error if the worker cannot; the next call may start another. Error after `close`.
   */
  deflate(piece: Uint8Array<ArrayBuffer>): Promise<DeflatedPiece> {
    // A page may still be under way then; a worker for it would keep the process alive.
    if (this.#closed) return Promise.reject(shutDownError());
    this.#worker ??= this.#start();
    const answer = Promise.withResolvers<DeflatedPiece>();
    this.#waiting.push(answer);
    this.#worker.postMessage(piece, [piece.buffer]);
    return answer.promise;
  }

  /** A buffer for a piece, if there is one. */
  takeSpare(): ArrayBuffer | undefined {
    return this.#spare.pop();
  }

  /** Ends the worker. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#fail(shutDownError());
  }

  #start(): Worker {
    const worker = new Worker(new URL("./_gzip_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<DeflateAnswer>) => {
      // What an ended worker had sent before is no answer to the pieces of the next.
      if (worker !== this.#worker) return;
      const answer = this.#waiting.shift();
      if ("error" in data) {
        answer?.reject(new Error(`Cannot compress: ${data.error}`));
        return;
      }
      if (this.#spare.length < MAX_SPARE_BUFFERS) this.#spare.push(data.spent);
      answer?.resolve(data);
    };
    worker.onerror = (event) => {
      // Without this, the error would end the process.
      event.preventDefault();
      if (worker === this.#worker) this.#fail(new Error(`Cannot compress: ${event.message}`));
    };
    return worker;
  }

  #fail(error: Error): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const answer of waiting) answer.reject(error);
  }
}

function shutDownError(): Error {
  return new Error("the server was shut down");
}
