/**
 * The errors of kmeter: one level under `Error`, facts as fields, and a hint with the next action.
 *
 * Every layer may throw them, so this file stands below all layers and imports nothing.
 */

interface ErrorFacts {
  /** The next action for the reader: one sentence without "hint:". */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A system or libbpf call failed. `errno` is positive, for example 2 for ENOENT. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly call: string;
  readonly errno: number;
  /** The eBPF program at fault, where it is known to be one program's. */
  readonly program?: string;
  readonly hint?: string;
  constructor(
    message: string,
    facts: ErrorFacts & { call: string; errno: number; program?: string },
  ) {
    super(message, { cause: facts.cause });
    this.call = facts.call;
    this.errno = facts.errno;
    this.program = facts.program;
    this.hint = facts.hint;
  }
}

/** Bytes or text are not what their format demands. `offset` is in bytes, where known. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  readonly offset?: number;
  readonly hint?: string;
  constructor(message: string, facts: ErrorFacts & { offset?: number } = {}) {
    super(message, { cause: facts.cause });
    this.offset = facts.offset;
    this.hint = facts.hint;
  }
}

/** The kernel, the host or kmeter lacks a feature. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
  readonly feature: string;
  readonly hint?: string;
  constructor(message: string, facts: ErrorFacts & { feature: string }) {
    super(message, { cause: facts.cause });
    this.feature = facts.feature;
    this.hint = facts.hint;
  }
}

/** What the user asked for is wrong: a flag, a name, an annotation. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint?: string;
  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, { cause: facts.cause });
    this.hint = facts.hint;
  }
}
