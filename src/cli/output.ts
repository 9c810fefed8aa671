/** Standard output and standard error. */

import { KernelError } from "../errors.ts";
import { escapeControls } from "../text/mod.ts";
import { OutputQueue } from "./output_queue.ts";

const encoder = new TextEncoder();
const ENOSPC = 28;
/** If stderr fails nobody is left to tell. */
const notices = new OutputQueue(Deno.stderr, { fd: 2, onError: () => {} });
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

/** Tells the user something that is no result. */
export function writeNotice(text: string): void {
  // A reader of stderr that is stuck does not hold kmeter up, nor fill its memory.
  if (!notices.isFull) notices.write(encoder.encode(`${escapeLines(text)}\n`));
}

/** Waits a little for who reads stderr. */
export async function flushNotices(): Promise<void> {
  await notices.flush();
}

/** Text that cannot control the terminal. Names come from files that a stranger may have made; line breaks are ours. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeControls).join("\n");
}

function writeAll(target: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}

/** Width of the terminal; a usual one where there is none. */
export function terminalWidth(): number {
  if (!Deno.stdout.isTerminal()) return 120;
  return Deno.consoleSize().columns || USUAL_SIZE.columns;
}

/** Height of the terminal in lines. */
export function terminalHeight(): number {
  return Deno.consoleSize().rows || USUAL_SIZE.rows;
}
