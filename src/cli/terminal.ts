/** Where rows go: standard output, which is never waited for, or a client of `kmeter serve`. */

import { hasLostReader } from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";
import type { Styles } from "../text/mod.ts";
import {
  canMoveCursor,
  holdNotices,
  outputError,
  stylesOf,
  terminalSize,
  writeNotice,
} from "./output.ts";
import { OutputQueue } from "./output_queue.ts";
import { guardScreen, type ScreenOwner } from "./screen_guard.ts";

const encoder = new TextEncoder();
const EAGAIN = 11;
const STDOUT = 1;
/** How soon it is noticed that nobody reads any more, while there is nothing to write. */
const LOOK_FOR_READER_MS = 1000;

/** Where text for people goes. */
export interface Terminal {
  /** False for files and pipes: then nothing is cut, and nothing is fitted in. */
  readonly isTty: boolean;
  /** True if pictures can be drawn in place. */
  readonly canMoveCursor: boolean;
  readonly styles: Styles;
  /** True while nobody takes what was written. */
  readonly isFull: boolean;
  widthColumns(): number;
  heightRows(): number;
  write(text: string): void;
  /** Tells something that is no result. */
  notice(text: string): void;
  /** Lends the terminal's whole surface. @returns gives it back. */
  onTaken(owner: ScreenOwner): () => void;
  /** Waits for room. @returns false if nobody takes anything. */
  room(): Promise<boolean>;
  /** Waits a little for who reads. @returns false if that one is gone. @throws KernelError if it is not to be had whole. */
  end(): Promise<boolean>;
}

/** Standard output. Ownership: `end()` gives signals and timers back. */
export class OutputTerminal implements Terminal {
  readonly isTty = Deno.stdout.isTerminal();
  readonly canMoveCursor = canMoveCursor();
  readonly styles = stylesOf(Deno.stdout);
  readonly #queue: OutputQueue;
  readonly #onClosed: () => void;
  readonly #onResize = () => {
    this.#size = undefined;
    this.#owner?.redraw();
  };
  #size: { columns: number; rows: number } | undefined;
  #owner: ScreenOwner | undefined;
  #readerTimer: ReturnType<typeof setInterval> | undefined;
  #hasLostReader = false;
  #error: unknown;

  /** @param onClosed called when nothing can be shown any more: the reader is gone, or the disk is full. */
  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
    this.#queue = new OutputQueue(Deno.stdout, {
      fd: STDOUT,
      onError: (error) => {
        if (error instanceof Deno.errors.BrokenPipe) this.#hasLostReader = true;
        else this.#error = outputError(error);
        onClosed();
      },
    });
    if (this.isTty) Deno.addSignalListener("SIGWINCH", this.#onResize);
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  /** Asked for each row, so the answer is kept until the terminal changes. */
  widthColumns(): number {
    return (this.#size ??= terminalSize()).columns;
  }

  heightRows(): number {
    return (this.#size ??= terminalSize()).rows;
  }

  write(text: string): void {
    if (text === "") return;
    this.#queue.write(encoder.encode(text));
    if (!this.isTty) {
      this.#readerTimer ??= setInterval(() => this.#lookForReader(), LOOK_FOR_READER_MS);
    }
  }

  /** A gadget that sees nothing writes nothing, and would not learn that `head` has ended. */
  #lookForReader(): void {
    if (!hasLostReader(STDOUT)) return;
    clearInterval(this.#readerTimer);
    this.#hasLostReader = true;
    this.#onClosed();
  }

  notice(text: string): void {
    writeNotice(text);
  }

  onTaken(owner: ScreenOwner): () => void {
    this.#owner = owner;
    const endGuard = guardScreen(owner, this.#onClosed);
    const releaseNotices = holdNotices((text) => owner.notice(text));
    return () => {
      this.#owner = undefined;
      releaseNotices();
      endGuard();
    };
  }

  room(): Promise<boolean> {
    return this.#queue.room();
  }

  async end(): Promise<boolean> {
    clearInterval(this.#readerTimer);
    if (this.isTty) Deno.removeSignalListener("SIGWINCH", this.#onResize);
    const left = await this.#queue.flush();
    if (this.#error !== undefined) throw this.#error;
    // A reader who is gone has seen enough.
    if (this.#hasLostReader) return false;
    if (left === 0) return true;
    throw new KernelError(`Cannot write to standard output: ${left} bytes are left`, {
      call: "write",
      errno: EAGAIN,
      hint: "whoever reads it has stopped",
    });
  }
}
