/** A program that this kernel does not take, and why. */

import { type BpfProgram, errnoName } from "../../ffi/mod.ts";
import { KernelError, UnsupportedError } from "../errors.ts";
import { hintForRefusal } from "./refusal_hint.ts";

/** What became of a program that cannot be loaded or attached. Outlives its object. */
export interface Refusal {
  readonly program: string;
  readonly section: string;
  /** With a hint that fits the program. */
  readonly error: KernelError | UnsupportedError;
}

/**
 * Makes a refusal of what loading or attaching a program threw.
 * @throws `error` if it is no refusal.
 */
export function toRefusal({ name, section }: BpfProgram, error: unknown): Refusal {
  if (error instanceof UnsupportedError) return { program: name, section, error };
  if (!(error instanceof KernelError)) throw error;
  const { message, call, errno } = error;
  const hint = hintForRefusal(error, { name, section });
  const explained = new KernelError(message, { call, errno, program: name, hint, cause: error });
  return { program: name, section, error: explained };
}

/** The reason in a few words, the same at every start: a label. */
export function reasonOf(error: Refusal["error"]): string {
  return error instanceof KernelError
    ? `${errnoName(error.errno)} from ${error.call}`
    : `${error.feature} is not supported`;
}
