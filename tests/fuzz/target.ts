/** What a fuzzer is, and what every parser owes to whoever gave it bad input. */

import { describeError } from "../../src/cli/report_error.ts";
import { escapeLines } from "../../src/cli/output.ts";
import { FormatError, KernelError, UnsupportedError, UsageError } from "../../src/errors.ts";
import type { Random } from "../unit/random.ts";

/** One kind of hostile input. Inputs are bytes, so that one that was a bug can become a file. */
export interface FuzzTarget {
  /** As on the command line, and the folder in the corpus. */
  readonly name: string;
  /** Makes an input; the same choices make the same one. */
  make(random: Random): Uint8Array<ArrayBuffer>;
  /** Throws if the property does not hold. */
  check(input: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** Frees what checks opened. */
  close?(): void | Promise<void>;
}

const ERRORS = [FormatError, KernelError, UnsupportedError, UsageError];
/** Names and values that a stranger chose are quoted, not endless. */
const MESSAGE_MAX = 20_000;

type Refusal = FormatError | KernelError | UnsupportedError | UsageError;

function isRefusal(error: unknown): error is Refusal {
  return ERRORS.some((type) => error instanceof type);
}

/**
 * Runs a parser. @returns its result; undefined if it refused the input as it should: by one of
 * kmeter's errors, as one line and one hint, without anything that acts on a terminal.
 */
export function parseOrRefuse<T>(parse: () => T, options = { needsHint: true }): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const wrong = faultOf(error, options);
    if (wrong !== undefined) throw new Error(`${wrong}: ${describeError(error)}`, { cause: error });
    return undefined;
  }
}

function faultOf(error: Refusal, { needsHint }: { needsHint: boolean }): string | undefined {
  if (error.message.startsWith("BUG")) return "a broken invariant";
  if (needsHint && !error.hint) return "no hint";
  if (error.message.length + (error.hint?.length ?? 0) > MESSAGE_MAX) return "an endless message";
  const shown = escapeLines(describeError(error));
  const lines = shown.split("\n").filter((line) => !line.startsWith(" "));
  if (lines.length !== (error.hint ? 2 : 1)) return "a line break of a stranger";
  // deno-lint-ignore no-control-regex -- what must not be there
  return /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]/.test(shown)
    ? "a control character"
    : undefined;
}

/** The text of an input that is text. */
export function textOf(input: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(input);
}

/** An input that is nothing but the seed of a long series of choices. */
export function makeSeed(random: Random): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${random.uint32()}\n`);
}
