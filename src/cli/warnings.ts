/** The warnings of this process, limited together. */

import { writeNotice } from "./output.ts";
import { ownLines } from "./report_error.ts";
import { WarningLimit } from "./warning_limit.ts";

const limit = new WarningLimit((text) => writeNotice(`warning: ${text}`), {
  nowMs: () => performance.now(),
});

/** Writes a warning and what to do, unless there are too many. */
export function warn(text: string, hint?: string): void {
  limit.warn(warningText(text, hint));
}

/** Writes what is text already, such as that of an error. */
export function warnAsIs(text: string): void {
  limit.warn(text);
}

/** A warning as it stands on the terminal. */
export function warningText(text: string, hint?: string): string {
  return ownLines(text) + (hint === undefined ? "" : `\nhint: ${ownLines(hint)}`);
}
