/** What the gadgets of a server have said lately. */

import { WarningLimit } from "./warning_limit.ts";

/** Lines kept of a gadget; the oldest go first. */
export const MAX_LOG_LINES = 200;
/** Gadgets of which lines are kept; those of the one that has been silent for longest go first. */
export const MAX_LOG_GADGETS = 100;

/** One line. */
export interface LogLine {
  /** In ms since the Unix epoch. */
  readonly timeMs: number;
  /** The gadget's name. */
  readonly name: string;
  readonly text: string;
}

/** What is known of one gadget. */
interface GadgetLog {
  readonly lines: LogLine[];
  readonly limit: WarningLimit;
}

/** Keeps lines and tells new ones to who listens. A gadget that says much takes no other's place. */
export class InstanceLog {
  /** The one that spoke last is last. */
  readonly #gadgets = new Map<string, GadgetLog>();
  readonly #listeners = new Set<(line: LogLine) => void>();

  /** Keeps the line, unless the gadget has said too much lately: that is told once. */
  add(name: string, text: string): void {
    const log = this.#gadgets.get(name) ?? this.#newLog(name);
    this.#gadgets.delete(name);
    this.#gadgets.set(name, log);
    const [silent] = this.#gadgets.keys();
    if (this.#gadgets.size > MAX_LOG_GADGETS) this.#gadgets.delete(silent);
    log.limit.warn(text);
  }

  #newLog(name: string): GadgetLog {
    const lines: LogLine[] = [];
    const limit = new WarningLimit((text) => {
      const line = { timeMs: Date.now(), name, text };
      lines.push(line);
      if (lines.length > MAX_LOG_LINES) lines.shift();
      for (const listener of this.#listeners) listener(line);
    }, { nowMs: () => performance.now() });
    return { lines, limit };
  }

  /** Lines of one gadget, or all, in the order of their times. */
  lines(name?: string): readonly LogLine[] {
    if (name !== undefined) return this.#gadgets.get(name)?.lines ?? [];
    const all = [...this.#gadgets.values()].flatMap(({ lines }) => lines);
    return all.sort((a, b) => a.timeMs - b.timeMs);
  }

  /** @returns what ends it. */
  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
