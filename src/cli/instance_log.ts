/** What the gadgets of a server have said lately. */

/** Lines kept; the oldest go first. */
export const MAX_LOG_LINES = 1000;

/** One line. */
export interface LogLine {
  /** In ms since the Unix epoch. */
  readonly timeMs: number;
  /** The gadget's name. */
  readonly name: string;
  readonly text: string;
}

/** Keeps lines and tells new ones to who listens. */
export class InstanceLog {
  readonly #lines: LogLine[] = [];
  readonly #listeners = new Set<(line: LogLine) => void>();

  add(name: string, text: string): void {
    const line = { timeMs: Date.now(), name, text };
    this.#lines.push(line);
    if (this.#lines.length > MAX_LOG_LINES) this.#lines.shift();
    for (const listener of this.#listeners) listener(line);
  }

  /** Lines of one gadget, or all. */
  lines(name?: string): readonly LogLine[] {
    return this.#lines.filter((line) => name === undefined || line.name === name);
  }

  /** @returns what ends it. */
  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
