/** Map entries as rows: drained per interval where they are shown, read in place where only counted. */

import type { FilterTerm } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { RowView } from "../view/mod.ts";
import type { Collector } from "./collector.ts";
import { FetchTimer } from "./fetch_timer.ts";
import type { MapReadStats, MapSource } from "./map_source.ts";
import { RowCopy } from "./row_copy.ts";
import type { FetchSchedule, Formatters } from "./run_options.ts";
import { NEVER, type Runner } from "./runner.ts";

/** Parts of a map data source. */
export interface MapRunnerOptions {
  readonly source: MapSource;
  readonly collector?: Collector;
  /** Present if rows are shown. */
  readonly view?: RowView;
  /** Take entries out with each read. */
  readonly drain: boolean;
  /** Reads on a timer; absent for maps that are read when scraped. */
  readonly schedule?: FetchSchedule;
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  readonly write: (text: string) => void;
}

/** A map fuller than this has its idle keys reaped, down to the second figure. */
const REAP_ABOVE = 0.9;
const REAP_TO = 0.75;

/** A data source over a map. */
export class MapRunner implements Runner {
  readonly spec: DataSourceSpec;
  readonly collector?: Collector;
  readonly #options: MapRunnerOptions;
  readonly #timer: FetchTimer | undefined;
  #received = 0;

  constructor(spec: DataSourceSpec, options: MapRunnerOptions) {
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

  mapStats(): MapReadStats {
    return this.#options.source.stats;
  }

  /** A drained map has its own rhythm; reading it now would only change the interval. */
  refresh(): void {
    if (!this.#options.drain) this.#fetch();
  }

  #fetch(): void {
    const { source, collector, view, drain, filter, formatters } = this.#options;
    const copy = view === undefined ? undefined : new RowCopy(this.spec);
    const entries = collector?.entries;
    entries?.beginPass();
    source.read((batch) => {
      this.#received += batch.count;
      if (entries !== undefined) collector?.ingest.snapshot(batch);
      else collector?.ingest.rows(batch);
      copy?.add(batch, { filter, formatters });
    }, { remove: drain });
    entries?.endPass();
    this.#reap();
    if (view !== undefined && copy !== undefined) this.#options.write(view.rows(copy.records));
  }

  /**
   * Makes room in a map that is nearly full: takes out the entries that have not changed for the
   * longest. Their last values are counted, and their counters go on if the key returns.
   */
  #reap(): void {
    const { source, collector } = this.#options;
    const entries = collector?.entries;
    if (entries === undefined || !source.canReap) return;
    // Keys, not rows: there may be one per CPU, and a filter may let few of them through.
    const count = source.stats.entries;
    if (count <= source.map.maxEntries * REAP_ABOVE) return;
    const excess = count - Math.floor(source.map.maxEntries * REAP_TO);
    const keys = entries.copyIdleKeys(excess, source.map.keySizeBytes);
    source.remove(keys, (batch) => {
      collector?.ingest.snapshot(batch);
      entries.forgetValues(batch);
    });
  }

  /** What came since the last read is shown too. */
  close(): void {
    this.#timer?.stop();
    if (this.#timer === undefined || this.#timer.isExhausted) return;
    if (this.spec.annotations["ebpf.map.flush-on-stop"] !== "false") this.#fetch();
  }
}
