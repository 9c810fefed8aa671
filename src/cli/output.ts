/** Standard output and standard error. */

import { escapeControls } from "../view/mod.ts";

const encoder = new TextEncoder();

/**
 * Writes to stdout, whole.
 * @throws Deno.errors.BrokenPipe if the reader is gone.
 */
export function writeOutput(text: string): void {
  writeAll(Deno.stdout, text);
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

/** Width of the terminal; a usual one where there is none. */
export function terminalWidth(): number {
  if (!Deno.stdout.isTerminal()) return 120;
  return Deno.consoleSize().columns;
}

/** Height of the terminal in lines. */
export function terminalHeight(): number {
  return Deno.consoleSize().rows;
}
