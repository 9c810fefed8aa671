/** Standard output and standard error. */

import { KernelError } from "../errors.ts";
import { COLOURED, escapeControls, PLAIN, type Styles } from "../text/mod.ts";
import { OutputQueue } from "./output_queue.ts";

const encoder = new TextEncoder();
const ENOSPC = 28;
const ERASE_LINE = "\r\x1b[K";
/** Some terminals (serial lines, `expect`) do not know their size. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/**
 * Writes to stdout, whole.
 * @throws Deno.errors.BrokenPipe if the reader is gone, KernelError if there is no room.
 */
export function writeOutput(text: string): void {
  try {
    writeAll(Deno.stdout, text);
  } catch (cause) {
    throw outputError(cause);
  }
}

/** What a failed write to stdout means. */
export function outputError(cause: unknown): unknown {
  const isFull = cause instanceof Error && cause.message.includes(`os error ${ENOSPC}`);
  if (!isFull) return cause;
  return new KernelError("Cannot write to standard output: ENOSPC from write", {
    call: "write",
    errno: ENOSPC,
    hint: "the disk is full",
    cause,
  });
}

/** What is no result: standard error, unless somebody has taken the terminal. */
class Notices {
  /** If stderr fails nobody is left to tell. */
  readonly #queue = new OutputQueue(Deno.stderr, { fd: 2, onError: () => {} });
  #styles: Styles | undefined;
  #holder: ((text: string) => void) | undefined;
  /** The line that goes away, while it is there. */
  #progress: symbol | undefined;

  write(text: string): void {
    if (this.#holder !== undefined) return this.#holder(text);
    // A reader of stderr that is stuck does not hold kmeter up, nor fill its memory.
    if (this.#queue.isFull) return;
    this.#endProgress(this.#progress);
    const styles = this.#styles ??= stylesOf(Deno.stderr);
    this.#put(`${styleNotice(escapeLines(text), styles)}\n`);
  }

  /** @returns takes the line away if it is still there. */
  showProgress(text: string): () => void {
    if (!Deno.stderr.isTerminal() || !hasControlSequences()) return () => {};
    const progress = this.#progress = Symbol();
    this.#put(stylesOf(Deno.stderr).faint(`${escapeControls(text)} …`));
    return () => this.#endProgress(progress);
  }

  #endProgress(progress: symbol | undefined): void {
    if (progress === undefined || progress !== this.#progress) return;
    this.#progress = undefined;
    this.#put(ERASE_LINE);
  }

  #put(text: string): void {
    this.#queue.write(encoder.encode(text));
  }

  hold(holder: (text: string) => void): () => void {
    // What goes to a file disturbs no terminal.
    if (Deno.stderr.isTerminal()) this.#holder = holder;
    return () => this.#holder = undefined;
  }

  async flush(): Promise<void> {
    await this.#queue.flush();
  }
}

const notices = new Notices();

/** Tells the user something that is no result. */
export function writeNotice(text: string): void {
  notices.write(text);
}

/**
 * Tells on a terminal what is being waited for. Native calls hold every timer up, so it comes at once.
 * @returns takes it away again; what else is told does so too.
 */
export function showProgress(text: string): () => void {
  return notices.showProgress(text);
}

/** Hands notices that would go to the terminal to somebody else. @returns ends that. */
export function holdNotices(holder: (text: string) => void): () => void {
  return notices.hold(holder);
}

/** Waits a little for who reads stderr. */
export async function flushNotices(): Promise<void> {
  await notices.flush();
}

function styleNotice(text: string, styles: Styles): string {
  return text.replace(/^(error|warning|hint):/gm, (word) => {
    if (word === "hint:") return styles.faint(word);
    return word === "error:" ? styles.error(word) : styles.warning(word);
  });
}

/** Text that cannot control the terminal. Names come from files that a stranger may have made; line breaks are ours. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeControls).join("\n");
}

function writeAll(target: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}

/** Width and height of the terminal; usual ones where there is none. */
export function terminalSize(): { columns: number; rows: number } {
  if (!Deno.stdout.isTerminal()) return { columns: 120, rows: USUAL_SIZE.rows };
  const { columns, rows } = Deno.consoleSize();
  return { columns: columns || USUAL_SIZE.columns, rows: rows || USUAL_SIZE.rows };
}

/** True if standard output is a terminal on which text can be put anywhere. */
export function canMoveCursor(): boolean {
  return Deno.stdout.isTerminal() && hasControlSequences();
}

/** Colours for a terminal that has them, unless `NO_COLOR` is set. */
export function stylesOf(stream: { isTerminal(): boolean }): Styles {
  return stream.isTerminal() && !Deno.noColor && hasControlSequences() ? COLOURED : PLAIN;
}

function hasControlSequences(): boolean {
  const terminal = Deno.env.get("TERM") ?? "";
  return terminal !== "" && terminal !== "dumb";
}
