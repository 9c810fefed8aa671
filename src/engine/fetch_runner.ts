/** Data sources that are read, not sent: rows come when somebody fetches them. */

import type { FilterTerm } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { RowBatch } from "../metrics/mod.ts";
import type { Subscriber } from "../operators/mod.ts";
import type { Collector } from "./collector.ts";
import { FetchTimer } from "./fetch_timer.ts";
import type { MapReadStats } from "./map_source.ts";
import { RowCopy } from "./row_copy.ts";
import type { FetchSchedule, Formatters } from "./run_options.ts";
import { NEVER, type Runner, type Subscription } from "./runner.ts";

/** Reads all rows once, counts them, and lends them in batches. One at a time. */
export type Fetch = (process: (batch: RowBatch) => void) => Promise<void>;

/** Parts of a data source that is read. */
export interface FetchRunnerOptions {
  readonly fetch: Fetch;
  readonly collector?: Collector;
  /** Who takes rows from the start. */
  readonly subscribers: readonly Subscriber[];
  /** Fetches on a timer; absent for what is only read when scraped. */
  readonly schedule?: FetchSchedule;
  /** For subscribers that come later. */
  readonly lateSchedule: FetchSchedule;
  /** True if a fetch takes the rows away: then only the timer may do it. */
  readonly isDrained: boolean;
  /** Fetch once more at the end, unless the schedule is exhausted. */
  readonly fetchesAtEnd: boolean;
  readonly mapStats?: () => MapReadStats;
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  /** Is told how many rows found no reader; they were counted. */
  readonly onLeftOut: (count: number) => void;
  /** Takes what a fetch on the timer throws; the next one comes at its time. */
  readonly onError: (error: unknown) => void;
  /** Frees what the fetch reads from. */
  readonly free?: () => void;
}

/** A data source over a map or over iterator programs. */
export class FetchRunner implements Runner {
  readonly spec: DataSourceSpec;
  readonly collector?: Collector;
  readonly mapStats?: () => MapReadStats;
  readonly #options: FetchRunnerOptions;
  readonly #timer: FetchTimer | undefined;
  /** Who takes the rows of the timer. */
  readonly #subscribers: Set<Subscriber>;
  /** Timers of subscribers that came later. */
  readonly #lateTimers = new Set<FetchTimer>();
  #received = 0;
  /** Ends with the fetch that was asked for last; never rejects. */
  #queue: Promise<void> = Promise.resolve();
  /** A fetch for scrapes that has not begun yet. */
  #waiting: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(spec: DataSourceSpec, options: FetchRunnerOptions) {
    this.spec = spec;
    this.collector = options.collector;
    this.mapStats = options.mapStats;
    this.#options = options;
    this.#subscribers = new Set(options.subscribers);
    if (options.schedule !== undefined) {
      this.#timer = new FetchTimer(options.schedule, {
        fetch: () => this.#fetchAndHandOn(this.#subscribers),
        onError: options.onError,
      });
    }
  }

  /** A late subscriber has a timer of its own, unless rows can be taken only once. */
  subscribe(subscriber: Subscriber): Subscription {
    if (this.#options.isDrained) {
      this.#subscribers.add(subscriber);
      return { finished: this.finished, stop: () => void this.#subscribers.delete(subscriber) };
    }
    const timer = new FetchTimer(this.#options.lateSchedule, {
      fetch: () => this.#fetchAndHandOn([subscriber]),
      onError: this.#options.onError,
    });
    this.#lateTimers.add(timer);
    const stop = () => {
      this.#lateTimers.delete(timer);
      void timer.stop();
    };
    return { finished: timer.finished, stop };
  }

  get received(): number {
    return this.#received;
  }

  get finished(): Promise<void> {
    return this.#timer?.finished ?? NEVER;
  }

  /**
   * For a scrape: nothing is handed on. What is drained has its own rhythm: a scrape only waits for the
   * fetch under way. Scrapes that come before a fetch has begun share it; what one under way has read
   * already may be too old for them.
   */
  refresh(): Promise<void> {
    if (this.#options.isDrained || this.#closed !== undefined) return this.#queue;
    return this.#waiting ??= this.#enqueue(() => {
      this.#waiting = undefined;
      return this.#fetch();
    });
  }

  /** Fetches of one source never overlap: they share buffers and what they remember of the map. */
  #enqueue(fetch: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(fetch);
    // Whoever asked hears of a failure; the next one starts all the same.
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Whoever reads slowly keeps no scrape waiting: only the next fetch for subscribers. */
  async #fetchAndHandOn(subscribers: Iterable<Subscriber>): Promise<void> {
    const watching = [...subscribers];
    if (watching.length === 0) return await this.#enqueue(() => this.#fetch());
    const rows = new RowCopy(this.spec);
    await this.#enqueue(() => this.#fetch(rows));
    const { records } = rows;
    for (const subscriber of watching) {
      if (await subscriber.room?.() ?? true) await subscriber.take(records);
      else this.#options.onLeftOut(records.length);
    }
  }

  async #fetch(rows?: RowCopy): Promise<void> {
    await this.#options.fetch((batch) => {
      this.#received += batch.count;
      rows?.add(batch, this.#options);
    });
  }

  /** What came since the last fetch is counted and handed on too. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    await this.#stopTimers();
    const isDue = this.#timer !== undefined && !this.#timer.isExhausted;
    if (isDue && this.#options.fetchesAtEnd) {
      await this.#fetchAndHandOn(this.#subscribers);
    }
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    try {
      await this.end();
      await this.#queue;
    } finally {
      this.#options.free?.();
    }
  }

  async #stopTimers(): Promise<void> {
    await Promise.all([...this.#lateTimers].map((timer) => timer.stop()));
    await this.#timer?.stop();
  }

  async abandon(): Promise<void> {
    try {
      await this.#stopTimers();
      await this.#queue;
    } finally {
      this.#options.free?.();
    }
  }
}
