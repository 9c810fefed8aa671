/** Rows of iterator programs: each run tells everything anew. */

import type { FilterTerm } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { RowBatch } from "../metrics/mod.ts";
import type { IteratorReader } from "../sources/mod.ts";
import type { RowView } from "../view/mod.ts";
import type { Collector } from "./collector.ts";
import { FetchTimer } from "./fetch_timer.ts";
import { RowCopy } from "./row_copy.ts";
import type { FetchSchedule, Formatters } from "./run_options.ts";
import { NEVER, type Runner } from "./runner.ts";

/** Parts of an iterator data source. */
export interface IterRunnerOptions {
  readonly reader: IteratorReader;
  readonly collector?: Collector;
  readonly view?: RowView;
  /** Runs on a timer; absent for iterators that run when scraped. */
  readonly schedule?: FetchSchedule;
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  readonly write: (text: string) => void;
}

/** A data source over iterator programs. */
export class IterRunner implements Runner {
  readonly spec: DataSourceSpec;
  readonly collector?: Collector;
  readonly #options: IterRunnerOptions;
  readonly #timer: FetchTimer | undefined;
  #received = 0;

  constructor(spec: DataSourceSpec, options: IterRunnerOptions) {
    this.spec = spec;
    this.collector = options.collector;
    this.#options = options;
    if (options.schedule !== undefined) {
      this.#timer = new FetchTimer(options.schedule, () => this.#fetch());
    }
  }

  get received(): number {
    return this.#received;
  }

  get finished(): Promise<void> {
    return this.#timer?.finished ?? NEVER;
  }

  refresh(): void {
    this.#fetch();
  }

  #fetch(): void {
    const { reader, collector, view, filter, formatters } = this.#options;
    const copy = view === undefined ? undefined : new RowCopy(this.spec);
    // Rows are states, not increments: what an earlier run said no longer counts.
    collector?.store.clear();
    reader.readAll(({ view: rows, count }) => {
      const batch: RowBatch = {
        view: rows,
        strideBytes: this.spec.recordSizeBytes,
        valueView: rows,
        valueStrideBytes: 0,
        count,
      };
      this.#received += count;
      collector?.ingest.rows(batch);
      copy?.add(batch, { filter, formatters });
    });
    if (view !== undefined && copy !== undefined) this.#options.write(view.rows(copy.records));
  }

  close(): void {
    this.#timer?.stop();
    if (this.spec.annotations["ebpf.iter.fetch-on-stop"] === "true") this.#fetch();
  }
}
