/** Keeps a fault that repeats from filling a disk with warnings. */

/** Warnings within one window; more are left out, and counted. */
export const MAX_WARNINGS = 100;
export const WARNING_WINDOW_MS = 10_000;

/** Hands on warnings, `MAX_WARNINGS` in each window at most. */
export class WarningLimit {
  readonly #write: (text: string) => void;
  readonly #nowMs: () => number;
  #windowStartMs = -Infinity;
  #count = 0;

  /** @param options.nowMs a clock that never goes back. */
  constructor(write: (text: string) => void, options: { nowMs: () => number }) {
    this.#write = write;
    this.#nowMs = options.nowMs;
  }

  /** Writes the warning, or counts it as left out. What is left out is told when it begins, and how many afterwards. */
  warn(text: string): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#windowStartMs >= WARNING_WINDOW_MS) {
      if (this.#count > MAX_WARNINGS) {
        this.#write(`${this.#count - MAX_WARNINGS} warnings were left out`);
      }
      this.#windowStartMs = nowMs;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count <= MAX_WARNINGS) this.#write(text);
    else if (this.#count === MAX_WARNINGS + 1) {
      this.#write(
        `more than ${MAX_WARNINGS} warnings in ${
          WARNING_WINDOW_MS / 1000
        } s: further ones are left out`,
      );
    }
  }
}
