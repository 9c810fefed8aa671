/** Scrapes under way: no more than there is memory and time for, and none for ever. */

/** Limits of the scrapes under way. */
export interface ScrapeLimits {
  /** More are refused. Each may hold a few pieces of its page. */
  readonly maxScrapes: number;
  /**
   * Time from the admission to the last byte, what the page waits for before its first one included.
   * Prometheus itself waits for 10 s unless told otherwise.
   */
  readonly maxMs: number;
  /** Who has taken nothing for this long makes room for the next, if there is no other. */
  readonly maxIdleMs: number;
}

export const DEFAULT_SCRAPE_LIMITS: ScrapeLimits = {
  maxScrapes: 16,
  maxMs: 60_000,
  maxIdleMs: 3_000,
};

/** What a scrape fails with that is ended from this side. */
export class ScrapeCut extends Error {}

/** Admits scrapes. */
export class Scrapes {
  readonly #limits: ScrapeLimits;
  readonly #onTooLate: () => void;
  readonly #underWay = new Set<Scrape>();

  /** @param options.onTooLate told of each scrape that is cut off for its slowness. */
  constructor(limits: ScrapeLimits, { onTooLate }: { onTooLate: () => void }) {
    this.#limits = limits;
    this.#onTooLate = onTooLate;
  }

  /** `undefined` if there are too many; else one that must be ended, and is cut off unless it ends in time. */
  admit(): Scrape | undefined {
    if (this.#underWay.size >= this.#limits.maxScrapes && !this.#cutIdlest()) return undefined;
    const timer = setTimeout(() => this.#cutSlow(scrape), this.#limits.maxMs);
    const scrape = new Scrape(() => {
      clearTimeout(timer);
      this.#underWay.delete(scrape);
    });
    this.#underWay.add(scrape);
    return scrape;
  }

  #cutSlow(scrape: Scrape): void {
    this.#onTooLate();
    scrape.cut(new ScrapeCut("the scrape took too long"));
  }

  /** Else a few clients that never read would keep all others out. @returns false if all are at work. */
  #cutIdlest(): boolean {
    const [idlest] = [...this.#underWay].sort((a, b) => a.progressMs - b.progressMs);
    if (idlest === undefined) return false;
    if (performance.now() - idlest.progressMs < this.#limits.maxIdleMs) return false;
    this.#cutSlow(idlest);
    return true;
  }

  /** Cuts off all. */
  close(): void {
    for (const scrape of [...this.#underWay]) scrape.cut(new ScrapeCut("the server was shut down"));
  }
}

/** One scrape under way. */
export class Scrape {
  readonly startMs = performance.now();
  /** Time when the client last asked for more. */
  progressMs = this.startMs;
  readonly #onEnd: () => void;
  #onCut: ((reason: ScrapeCut) => void) | undefined;
  #cut: ScrapeCut | undefined;
  #hasEnded = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What comes of `work`. Throws: `ScrapeCut` if the scrape is cut off before. */
  within<T>(work: Promise<T>): Promise<T> {
    const cut = Promise.withResolvers<never>();
    this.whenCut(cut.reject);
    return Promise.race([work, cut.promise]);
  }

  /** From now on this is what is called when the scrape is cut off; at once if it has been. */
  whenCut(onCut: (reason: ScrapeCut) => void): void {
    this.#onCut = onCut;
    if (this.#cut !== undefined) onCut(this.#cut);
  }

  /** Ends the scrape from this side, unless it has ended. */
  cut(reason: ScrapeCut): void {
    if (this.#hasEnded) return;
    this.#cut = reason;
    this.end();
    this.#onCut?.(reason);
  }

  /** Idempotent. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
  }
}
