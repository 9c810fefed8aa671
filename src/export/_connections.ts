/** Open connections: no more than there is memory and descriptors for, and none for ever. */

/** Limits of the connections. */
export interface ConnectionLimits {
  /** For more, one that asks nothing makes room. */
  readonly maxConnections: number;
  /** From the connection, or the first byte of a request, to the end of the request's head. */
  readonly headMs: number;
  /** From an answer to the next request. */
  readonly idleMs: number;
  /** From the end of the request's head to the end of the answer. */
  readonly answerMs: number;
  /** A client that has taken nothing of its answer for this long makes room, if no other can. */
  readonly stalledMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 256,
  headMs: 10_000,
  // Longer than the usual interval between scrapes, so that a scraper connects once.
  idleMs: 150_000,
  // Longer than a scrape may take: that one tells why it was cut off.
  answerMs: 65_000,
  stalledMs: 3_000,
};

/** What a connection does. */
type Phase = "new" | "idle" | "answering";

/** Admits connections. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #open = new Set<Connection>();

  constructor(limits: ConnectionLimits = CONNECTION_LIMITS) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#open.size;
  }

  /** @param close closes it, from this side. @returns undefined if all others are at work. */
  admit(close: () => void): Connection | undefined {
    if (this.#open.size >= this.#limits.maxConnections && !this.makeRoom()) return undefined;
    const connection: Connection = new Connection(this.#limits, {
      close,
      onEnd: () => this.#open.delete(connection),
    });
    this.#open.add(connection);
    return connection;
  }

  /**
   * Closes the one that is missed least: who never asked, then who waits to ask again, then who does not
   * read; of these the one that has been so for the longest time. @returns false if there is none.
   */
  makeRoom(): boolean {
    const nowMs = performance.now();
    let least: { connection: Connection; rank: number } | undefined;
    for (const connection of this.#open) {
      const { phase, progressMs } = connection;
      if (phase === "answering" && nowMs - progressMs < this.#limits.stalledMs) continue;
      const rank = ["new", "idle", "answering"].indexOf(phase);
      const isLess = least === undefined || rank < least.rank ||
        (rank === least.rank && progressMs < least.connection.progressMs);
      if (isLess) least = { connection, rank };
    }
    least?.connection.close();
    return least !== undefined;
  }

  /** Closes those that have no request. */
  closeIdle(): void {
    for (const connection of [...this.#open]) {
      if (connection.phase !== "answering") connection.close();
    }
  }

  /** Closes those that have no request, and after `graceMs` all. */
  async shutdown(graceMs: number): Promise<void> {
    this.closeIdle();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    await Promise.race([Promise.all([...this.#open].map(({ ended }) => ended)), grace.promise]);
    clearTimeout(timer);
    for (const connection of [...this.#open]) connection.close();
  }
}

/** One connection. It must be ended, and is closed unless it goes on in time. */
export class Connection {
  phase: Phase = "new";
  /** Time when the client last did what it has to. */
  progressMs = 0;
  readonly #limits: ConnectionLimits;
  readonly #close: () => void;
  readonly #onEnd: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    limits: ConnectionLimits,
    { close, onEnd }: { close: () => void; onEnd: () => void },
  ) {
    this.#limits = limits;
    this.#close = close;
    this.#onEnd = onEnd;
    this.expectHead();
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** A request has begun, or is waited for for the first time. */
  expectHead(): void {
    this.closeAfter(this.#limits.headMs);
  }

  beginAnswer(): void {
    this.phase = "answering";
    this.closeAfter(this.#limits.answerMs);
  }

  /** The client has taken what it was sent. */
  advance(): void {
    this.progressMs = performance.now();
  }

  endAnswer(): void {
    this.phase = "idle";
    this.closeAfter(this.#limits.idleMs);
  }

  closeAfter(timeMs: number): void {
    this.advance();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), timeMs);
  }

  close(): void {
    this.end();
    this.#close();
  }

  /** Idempotent. */
  end(): void {
    clearTimeout(this.#timer);
    this.#onEnd();
    this.#ended.resolve();
  }
}
