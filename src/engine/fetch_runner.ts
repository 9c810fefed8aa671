/** Data sources that are read, not sent: rows come when somebody fetches them. */

import type { FilterTerm } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { RowBatch } from "../metrics/mod.ts";
import type { RowView } from "../view/mod.ts";
import type { Collector } from "./collector.ts";
import { FetchTimer } from "./fetch_timer.ts";
import type { MapReadStats } from "./map_source.ts";
import { RowCopy } from "./row_copy.ts";
import type { FetchSchedule, Formatters } from "./run_options.ts";
import { NEVER, type Runner } from "./runner.ts";

/** Reads all rows once, counts them, and lends them in batches. */
export type Fetch = (process: (batch: RowBatch) => void) => void;

/** Parts of a data source that is read. */
export interface FetchRunnerOptions {
  readonly fetch: Fetch;
  readonly collector?: Collector;
  /** Present if rows are shown. */
  readonly view?: RowView;
  /** Fetches on a timer; absent for what is only read when scraped. */
  readonly schedule?: FetchSchedule;
  /** True if a fetch takes the rows away: then only the timer may do it. */
  readonly isDrained: boolean;
  /** Fetch once more at the end, unless the schedule is exhausted. */
  readonly fetchesAtEnd: boolean;
  readonly mapStats?: () => MapReadStats;
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  readonly write: (text: string) => void;
  /** Takes what a fetch on the timer throws; the next one comes at its time. */
  readonly onError: (error: unknown) => void;
}

/** A data source over a map or over iterator programs. */
export class FetchRunner implements Runner {
  readonly spec: DataSourceSpec;
  readonly collector?: Collector;
  readonly mapStats?: () => MapReadStats;
  readonly #options: FetchRunnerOptions;
  readonly #timer: FetchTimer | undefined;
  #received = 0;

  constructor(spec: DataSourceSpec, options: FetchRunnerOptions) {
    this.spec = spec;
    this.collector = options.collector;
    this.mapStats = options.mapStats;
    this.#options = options;
    if (options.schedule !== undefined) {
      this.#timer = new FetchTimer(options.schedule, {
        fetch: () => this.#fetchAndShow(),
        onError: options.onError,
      });
    }
  }

  get received(): number {
    return this.#received;
  }

  get finished(): Promise<void> {
    return this.#timer?.finished ?? NEVER;
  }

  /** For a scrape: nothing is shown. What is drained has its own rhythm. */
  refresh(): void {
    if (!this.#options.isDrained) this.#fetch();
  }

  #fetchAndShow(): void {
    const { view, write } = this.#options;
    if (view === undefined) return this.#fetch();
    const rows = new RowCopy(this.spec);
    this.#fetch(rows);
    write(view.rows(rows.records));
  }

  #fetch(rows?: RowCopy): void {
    this.#options.fetch((batch) => {
      this.#received += batch.count;
      rows?.add(batch, this.#options);
    });
  }

  /** What came since the last fetch is counted and shown too. */
  close(): void {
    this.#timer?.stop();
    const isDue = this.#timer !== undefined && !this.#timer.isExhausted;
    if (isDue && this.#options.fetchesAtEnd) this.#fetchAndShow();
  }
}
