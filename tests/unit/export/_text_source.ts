/** Bodies from ready text, for tests of what hands them on. */

import type { BodySource } from "../../../src/export/body_source.ts";

/** Makes one piece of each text, and counts in `made` what it and its forks have made. */
export class TextSource implements BodySource {
  readonly #texts: readonly string[];
  readonly made: string[];
  #next: number;

  constructor(texts: readonly string[], made: string[] = [], next = 0) {
    this.#texts = texts;
    this.made = made;
    this.#next = next;
  }

  next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#next === this.#texts.length) return Promise.resolve(undefined);
    const text = this.#texts[this.#next++];
    this.made.push(text);
    return Promise.resolve(new TextEncoder().encode(text));
  }

  fork(): TextSource {
    return new TextSource(this.#texts, this.made, this.#next);
  }
}
