/** Scrapes under way: no more than there is memory and time for, and none for ever. */

/** Limits of the scrapes under way. */
export interface ScrapeLimits {
  /** More are refused. Each may hold a few pieces of its page. */
  readonly maxScrapes: number;
  /** Time from the first byte to the last. Prometheus itself waits for 10 s unless told otherwise. */
  readonly maxMs: number;
}

export const DEFAULT_SCRAPE_LIMITS: ScrapeLimits = { maxScrapes: 16, maxMs: 60_000 };

/** Admits scrapes. */
export class Scrapes {
  readonly #limits: ScrapeLimits;
  readonly #underWay = new Set<Scrape>();

  constructor(limits: ScrapeLimits) {
    this.#limits = limits;
  }

  /** `undefined` if there are too many; else one that must be ended. */
  admit(): Scrape | undefined {
    if (this.#underWay.size >= this.#limits.maxScrapes) return undefined;
    const scrape = new Scrape(this.#limits.maxMs, () => this.#underWay.delete(scrape));
    this.#underWay.add(scrape);
    return scrape;
  }

  /** Ends all. */
  close(): void {
    for (const scrape of [...this.#underWay]) scrape.end();
  }
}

/** One scrape under way. */
export class Scrape {
  readonly startMs = performance.now();
  readonly #onEnd: () => void;
  readonly #maxMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasEnded = false;

  constructor(maxMs: number, onEnd: () => void) {
    this.#maxMs = maxMs;
    this.#onEnd = onEnd;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Calls `onTooLate` and ends the scrape unless it ends in time. */
  limitTime(onTooLate: () => void): void {
    this.#timer = setTimeout(() => {
      this.end();
      onTooLate();
    }, this.#maxMs);
  }

  /** Idempotent. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#onEnd();
  }
}
