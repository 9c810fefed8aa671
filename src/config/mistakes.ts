/** Collects what is wrong with a file, to tell all of it at once. */

import { FormatError, UnsupportedError, UsageError } from "../errors.ts";

interface Mistake {
  readonly message: string;
  readonly hint?: string;
}

/** Mistakes of one file. */
export class Mistakes {
  readonly file: string;
  readonly #found: Mistake[] = [];

  constructor(file: string) {
    this.file = file;
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  add(message: string, hint?: string): void {
    this.#found.push({ message, hint });
  }

  /**
   * What `read` returns; undefined if it throws one of the errors that a file can cause, which is noted.
   * @param placeOf where an error's cause stands, for those that do not say it themselves.
   */
  collect<T>(read: () => T, placeOf?: (message: string) => string): T | undefined {
    try {
      return read();
    } catch (error) {
      const isExpected = error instanceof FormatError || error instanceof UnsupportedError ||
        error instanceof UsageError;
      if (!isExpected) throw error;
      const { message, hint } = error;
      this.add(placeOf === undefined ? message : `${placeOf(message)}: ${message}`, hint);
      return undefined;
    }
  }

  /** Throws: FormatError if there is a mistake; with `hint` if there are several: these show theirs beside them. */
  refuse(hint: string): void {
    const found = this.#found.toSorted((a, b) => lineOf(a.message) - lineOf(b.message));
    const [first, ...others] = found;
    if (first === undefined) return;
    if (others.length === 0) throw new FormatError(first.message, { hint: first.hint });
    const lines = found.map(({ message, hint }) =>
      `  ${message}${hint === undefined ? "" : ` (${hint})`}`
    );
    throw new FormatError(
      `Cannot use "${this.file}": ${lines.length} mistakes\n${lines.join("\n")}`,
      { hint },
    );
  }
}

/** Line of the file that a message names; 0 if it names none. */
function lineOf(message: string): number {
  return Number(/:(\d+) \(/.exec(message)?.[1] ?? 0);
}
