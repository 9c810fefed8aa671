/** Where rows go: standard output, which is never waited for, or a client of `kmeter serve`. */

import { KernelError } from "../errors.ts";
import { outputError, terminalHeight, terminalWidth } from "./output.ts";
import { OutputQueue } from "./output_queue.ts";

const encoder = new TextEncoder();
const EAGAIN = 11;

/** Where text for people goes. */
export interface Terminal {
  /** False for files and pipes: then nothing is cleared, and nothing is fitted in. */
  readonly isTty: boolean;
  /** True while nobody takes what was written. */
  readonly isFull: boolean;
  widthColumns(): number;
  heightRows(): number;
  write(text: string): void;
  /** Waits for room. @returns false if nobody takes anything. */
  room(): Promise<boolean>;
  /** Waits a little for who reads. @throws KernelError if it is not to be had whole. */
  end(): Promise<void>;
}

/** Standard output. */
export class OutputTerminal implements Terminal {
  readonly isTty = Deno.stdout.isTerminal();
  readonly #queue: OutputQueue;
  #error: unknown;

  /** @param onClosed called when nothing can be shown any more: the reader is gone, or the disk is full. */
  constructor(onClosed: () => void) {
    this.#queue = new OutputQueue(Deno.stdout, {
      fd: 1,
      onError: (error) => {
        this.#error = outputError(error);
        onClosed();
      },
    });
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  widthColumns(): number {
    return terminalWidth();
  }

  heightRows(): number {
    return terminalHeight();
  }

  write(text: string): void {
    if (text !== "") this.#queue.write(encoder.encode(text));
  }

  room(): Promise<boolean> {
    return this.#queue.room();
  }

  async end(): Promise<void> {
    const left = await this.#queue.flush();
    if (this.#error !== undefined) {
      // A reader who is gone has seen enough.
      if (this.#error instanceof Deno.errors.BrokenPipe) return;
      throw this.#error;
    }
    if (left === 0) return;
    throw new KernelError(`Cannot write to standard output: ${left} bytes are left`, {
      call: "write",
      errno: EAGAIN,
      hint: "whoever reads it has stopped",
    });
  }
}
