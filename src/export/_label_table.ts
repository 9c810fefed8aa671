/** Which series has these labels: an open-addressing table of series by hashes. */

const FIRST_SLOTS = 128;

/**
 * Series by the hash of their labels. A series that was added under another hash since is still found
 * under the former one until the table grows: what it has is for the caller to check.
 */
export class LabelTable {
  /** Slot → series + 1, 0 for empty. */
  #slots = new Int32Array(FIRST_SLOTS);
  #used = 0;
  /** The latest hash of each series. */
  #hashes = new Int32Array(0);
  /** 1 for series that were added. */
  #added = new Uint8Array(0);

  /** Strangers choose labels: they must not know which ones meet in a slot. */
  readonly #seed = Math.trunc(Math.random() * 2 ** 32);

  /** Another series of that text that `matches`, or -1: then the series is added under the text. */
  findOrAdd(series: number, text: string, matches: (other: number) => boolean): number {
    const hash = hashText(text, this.#seed);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (; this.#slots[slot] !== 0; slot = slot + 1 & mask) {
      const other = this.#slots[slot] - 1;
      if (other === series || this.#hashes[other] !== hash) continue;
      if (matches(other)) return other;
    }
    this.#slots[slot] = series + 1;
    this.#note(series, hash);
    this.#used++;
    if (this.#used * 2 > this.#slots.length) this.#rebuild();
    return -1;
  }

  clear(): void {
    this.#slots.fill(0);
    this.#added.fill(0);
    this.#used = 0;
  }

  #note(series: number, hash: number): void {
    if (series >= this.#hashes.length) {
      const capacity = Math.max(64, series + 1, this.#hashes.length * 2);
      const hashes = new Int32Array(capacity);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
      const added = new Uint8Array(capacity);
      added.set(this.#added);
      this.#added = added;
    }
    this.#hashes[series] = hash;
    this.#added[series] = 1;
  }

  /** Leaves out what is found under a former hash, and makes room for as many again. */
  #rebuild(): void {
    this.#used = this.#added.reduce((count, added) => count + added, 0);
    const slots = new Int32Array(2 ** Math.ceil(Math.log2(this.#used * 4)));
    const mask = slots.length - 1;
    for (let series = 0; series < this.#added.length; series++) {
      if (this.#added[series] === 0) continue;
      let slot = this.#hashes[series] & mask;
      while (slots[slot] !== 0) slot = slot + 1 & mask;
      slots[slot] = series + 1;
    }
    this.#slots = slots;
  }
}

/** Not of the bytes: reading those here makes copies of them slower. */
function hashText(text: string, seed: number): number {
  let hash = text.length ^ seed;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  }
  return hash ^ hash >>> 15;
}
