/** The one place where errors become text and exit codes. */

import { FormatError, KernelError, UnsupportedError, UsageError } from "../errors.ts";

/** Exit codes: 0 done, 1 failed at run time, 2 wrong usage. */
export function exitCodeOf(error: unknown): number {
  return error instanceof UsageError ? 2 : 1;
}

/** Text of an error: what failed, and what to do. */
export function describeError(error: unknown): string {
  if (
    error instanceof KernelError || error instanceof FormatError ||
    error instanceof UnsupportedError || error instanceof UsageError
  ) {
    const hint = error.hint === undefined ? "" : `\nhint: ${ownLines(error.hint)}`;
    return `error: ${ownLines(error.message)}${hint}`;
  }
  if (error instanceof Deno.errors.NotCapable) {
    const hint =
      "kmeter opens no file that is named to it below /dev, /proc or /sys: copy it elsewhere";
    return `error: ${ownLines(error.message.replace(/, run again with .*$/s, ""))}\nhint: ${hint}`;
  }
  // Nothing else is expected to come here: the stack is what a report of the fault needs.
  return `error: ${error instanceof Error ? error.stack ?? error.message : String(error)}`;
}

/** An error as the end of a sentence, with its hint on a line of its own. */
export function errorWithHint(error: unknown): string {
  return describeError(error).replace(/^error: /, "");
}

/** An error as part of a sentence: without its hint. */
export function errorText(error: unknown): string {
  return ownLines(error instanceof Error ? error.message : String(error));
}

/**
 * The text with its own line breaks only: further lines of a message are indented. A line break
 * before anything else is in the name that a stranger gave to something, and might pretend to be a hint.
 */
export function ownLines(text: string): string {
  return text.replaceAll(/\n(?! )/g, "\\n");
}
