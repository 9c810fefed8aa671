/** Open connections: no more than there is memory and descriptors for, and none for ever. */

/** Why a connection was cut: others needed its place, or it took too long. */
export type CutReason = "crowded" | "timeout";

export const CUT_REASONS: readonly CutReason[] = ["crowded", "timeout"];

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
  /** Nobody is closed to make room who has had less than this to ask. */
  readonly patienceMs: number;
  /** A client that has taken nothing of its answer for this long makes room, if no other can. */
  readonly stalledMs: number;
  /** As many as ever are admitted when descriptors have not run out for this long. */
  readonly recoveryMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 512,
  headMs: 10_000,
  // Longer than the usual interval between scrapes, so that a scraper connects once.
  idleMs: 150_000,
  // Longer than a scrape may take: that one tells why it was cut off.
  answerMs: 65_000,
  patienceMs: 20,
  stalledMs: 3_000,
  recoveryMs: 60_000,
};

/** Who is late is closed this much later at most. */
const SWEEP_MS = 1000;

const SPARE_DESCRIPTORS = 16;
const MIN_CONNECTIONS = 32;

/** What a connection does, from the one that is missed least to the one that is missed most. */
type Phase = "silent" | "asking" | "idle" | "answering";

const PHASES: readonly Phase[] = ["silent", "asking", "idle", "answering"];

/** Admits connections. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #onCut: (reason: CutReason) => void;
  readonly #open = new Set<Connection>();
  #loweredMax: number;
  #loweredAtMs = -Infinity;
  #sweep: ReturnType<typeof setInterval> | undefined;

  /** @param options.onCut told of each that is closed or refused, but for those that only waited to ask again. */
  constructor(
    { onCut, limits = CONNECTION_LIMITS }: {
      readonly onCut: (reason: CutReason) => void;
      readonly limits?: ConnectionLimits;
    },
  ) {
    this.#onCut = onCut;
    this.#limits = limits;
    this.#loweredMax = limits.maxConnections;
  }

  get #max(): number {
    const isQuiet = performance.now() - this.#loweredAtMs >= this.#limits.recoveryMs;
    return isQuiet ? this.#limits.maxConnections : this.#loweredMax;
  }

  get count(): number {
    return this.#open.size;
  }

  /** @param close closes it, from this side. @returns undefined if all others are at work. */
  admit(close: () => void): Connection | undefined {
    if (this.#open.size >= this.#max && !this.#makeRoom()) {
      this.#onCut("crowded");
      return undefined;
    }
    const connection = new Connection(this.#limits, {
      close,
      onEnd: (ended) => this.#remove(ended),
    });
    this.#open.add(connection);
    // One timer for all: in a flood, one for each would be much of the garbage.
    this.#sweep ??= setInterval(() => this.#closeLate(), SWEEP_MS);
    return connection;
  }

  #remove(connection: Connection): void {
    this.#open.delete(connection);
    if (this.#open.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #closeLate(): void {
    const nowMs = performance.now();
    for (const connection of [...this.#open]) {
      if (connection.deadlineMs > nowMs) continue;
      if (connection.phase !== "idle") this.#onCut("timeout");
      connection.close();
    }
  }

  /**
   * Resolves when there is room, or none to wait for. In a flood a scraper needs time to ask, too: who was
   * silent for longer than that makes room, all at once.
   */
  async waitForRoom(): Promise<void> {
    while (this.#open.size >= this.#max) {
      const least = this.#findLeast();
      if (least?.phase !== "silent") return;
      const { patienceMs } = this.#limits;
      await sleep(Math.max(0, least.progressMs + patienceMs - performance.now()));
      const since = performance.now() - patienceMs;
      // What has arrived is told to those who read after the timers.
      await sleep(0);
      for (const connection of [...this.#open]) {
        if (connection.phase === "silent" && connection.progressMs <= since) this.#cut(connection);
      }
      // Now their descriptors are free.
      await sleep(0);
    }
  }

  /** Closes the one that is missed least. @returns false if there is none. */
  #makeRoom(): boolean {
    const least = this.#findLeast();
    if (least === undefined) return false;
    this.#cut(least);
    return true;
  }

  #cut(connection: Connection): void {
    this.#onCut("crowded");
    connection.close();
  }

  /** By phase; of those who are in the same one, who has been so for the longest time. */
  #findLeast(): Connection | undefined {
    const nowMs = performance.now();
    let least: { connection: Connection; rank: number } | undefined;
    for (const connection of this.#open) {
      const { phase, progressMs } = connection;
      if (phase === "answering" && nowMs - progressMs < this.#limits.stalledMs) continue;
      const rank = PHASES.indexOf(phase);
      const isLess = least === undefined || rank < least.rank ||
        (rank === least.rank && progressMs < least.connection.progressMs);
      if (isLess) least = { connection, rank };
    }
    return least?.connection;
  }

  /**
   * Descriptors have run out, which a low `ulimit -n` may bring about: for a while fewer connections are
   * admitted, so that some are left for what reads files.
   */
  lowerLimit(): void {
    // Else others have them, or connections that are just being closed.
    if (this.#open.size < MIN_CONNECTIONS + SPARE_DESCRIPTORS) return;
    this.#loweredMax = this.#open.size - SPARE_DESCRIPTORS;
    this.#loweredAtMs = performance.now();
    while (this.#open.size > this.#max && this.#makeRoom());
  }

  /** Closes those that have no request, but one. */
  closeIdle({ but }: { but?: Connection } = {}): void {
    for (const connection of [...this.#open]) {
      if (connection.phase !== "answering" && connection !== but) connection.close();
    }
  }

  /** Closes those that have no request, and after `graceMs` all. */
  async shutdown(graceMs: number): Promise<void> {
    this.closeIdle();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    await Promise.race([Promise.all([...this.#open].map((each) => each.ended())), grace.promise]);
    clearTimeout(timer);
    for (const connection of [...this.#open]) connection.close();
  }
}

/** One connection. It must be ended, and is closed unless it goes on in time. */
export class Connection {
  phase: Phase = "silent";
  /** Time when the client last did what it has to. */
  progressMs = 0;
  deadlineMs = 0;
  readonly #limits: ConnectionLimits;
  readonly #close: () => void;
  readonly #onEnd: (connection: Connection) => void;
  #whenEnded: PromiseWithResolvers<void> | undefined;

  constructor(
    limits: ConnectionLimits,
    { close, onEnd }: { close: () => void; onEnd: (connection: Connection) => void },
  ) {
    this.#limits = limits;
    this.#close = close;
    this.#onEnd = onEnd;
    this.closeAfter(limits.headMs);
  }

  /** Resolves when it ends, for those that are open. */
  ended(): Promise<void> {
    this.#whenEnded ??= Promise.withResolvers<void>();
    return this.#whenEnded.promise;
  }

  /** The client has begun to say something. */
  beginRequest(): void {
    this.phase = "asking";
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
    this.deadlineMs = this.progressMs + timeMs;
  }

  close(): void {
    this.end();
    this.#close();
  }

  /** Idempotent. */
  end(): void {
    this.#onEnd(this);
    this.#whenEnded?.resolve();
  }
}

function sleep(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
