/** The one place where errors become text and exit codes. */

import { FormatError, KernelError, UnsupportedError, UsageError } from "../errors.ts";
import { escapeControls } from "../view/mod.ts";

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
    const hint = error.hint === undefined ? "" : `\nhint: ${safe(error.hint)}`;
    return `error: ${safe(error.message)}${hint}`;
  }
  // Nothing else is expected to come here: the stack is what a report of the fault needs.
  return `error: ${error instanceof Error ? error.stack ?? error.message : String(error)}`;
}

/** Names come from files that a stranger may have made; line breaks are ours. */
function safe(text: string): string {
  return text.split("\n").map(escapeControls).join("\n");
}
