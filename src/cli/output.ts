/** Standard output and standard error. */

import { KernelError } from "../errors.ts";
import { escapeControls } from "../view/mod.ts";

const encoder = new TextEncoder();
const ENOSPC = 28;
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
    const isFull = cause instanceof Error && cause.message.includes(`os error ${ENOSPC}`);
    if (!isFull) throw cause;
    throw new KernelError("Cannot write to standard output: ENOSPC from write", {
      call: "write",
      errno: ENOSPC,
      hint: "the disk is full",
      cause,
    });
  }
}

/** Tells the user something that is no result. */
export function writeNotice(text: string): void {
  writeAll(Deno.stderr, `${escapeLines(text)}\n`);
}

/** Text that cannot control the terminal. Names come from files that a stranger may have made; line breaks are ours. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeControls).join("\n");
}

function writeAll(target: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(target.writeSync(bytes));
}

/** Where text for people goes. */
export interface Terminal {
  /** False for files and pipes: then nothing is cleared, and nothing is fitted in. */
  readonly isTty: boolean;
  widthColumns(): number;
  heightRows(): number;
  /** @throws Deno.errors.BrokenPipe if nobody reads any more. */
  write(text: string): void;
}

/** Standard output. */
export function ownTerminal(): Terminal {
  return {
    isTty: Deno.stdout.isTerminal(),
    widthColumns: terminalWidth,
    heightRows: terminalHeight,
    write: writeOutput,
  };
}

/** Width of the terminal; a usual one where there is none. */
function terminalWidth(): number {
  if (!Deno.stdout.isTerminal()) return 120;
  return Deno.consoleSize().columns || USUAL_SIZE.columns;
}

/** Height of the terminal in lines. */
function terminalHeight(): number {
  return Deno.consoleSize().rows || USUAL_SIZE.rows;
}
