/** Seeded choices: the same seed makes the same test. */

/** A stream of pseudo-random numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  uint32(): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return (mixed ^ mixed >>> 14) >>> 0;
  }

  /** A whole number in [min, max]. */
  between(min: number, max: number): number {
    return min + this.uint32() % (max - min + 1);
  }

  chance(probability: number): boolean {
    return this.uint32() < probability * 2 ** 32;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.uint32() % choices.length];
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.uint32() & 255);
  }
}

/** Runs a property with many seeds; a failure names the seed that repeats it. */
export function forEachSeed(
  seeds: { readonly first: number; readonly count: number },
  check: (random: Random) => void,
): void {
  for (let seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
    try {
      check(new Random(seed));
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}
