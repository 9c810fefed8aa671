/** What the caller of a run decides. */

import type { Field, FieldFormatter } from "../decode/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { MetricSet, SeriesBudgetHandle } from "../metrics/mod.ts";
import type { RowView } from "../view/mod.ts";

/** Text of fields with a format, for one data source. */
export type Formatters = ReadonlyMap<Field, FieldFormatter>;

/** How often a map or iterator is read. */
export interface FetchSchedule {
  /** 0 for at once, once. */
  readonly intervalMs: number;
  /** Reads at most; 0 for no limit. */
  readonly count: number;
}

/** Where rows and drawn metrics go. */
export interface Display {
  /** True if a `metrics.print` data source is drawn; else its rows are shown like those of others. */
  draws(spec: DataSourceSpec): boolean;
  /**
   * Makes the view of a data source's rows; undefined if its rows are not shown.
   * @param schedule when a map or iterator is read; without meaning for events.
   */
  rowView(
    spec: DataSourceSpec,
    formatters: Formatters,
    schedule: FetchSchedule,
  ): RowView | undefined;
  /** Draws all metrics that are printed; called once per print interval. */
  metrics(sets: readonly MetricSet[]): string;
  /** Takes finished text, whole. */
  write(text: string): void;
  /** True while nobody takes what was written: then more should wait, or be left out. */
  isFull(): boolean;
  /** Waits for room while the reader takes anything. @returns false if it does not. */
  room(): Promise<boolean>;
}

/** Options of one run. */
export interface RunOptions {
  /** What the gadget is called in metrics and messages; several runs of one gadget differ in it. */
  readonly name: string;
  /** Text of `--filter`; "" for none. */
  readonly filter: string;
  /** Gadget parameters by flag name, as text. */
  readonly params: ReadonlyMap<string, string>;
  /** Collect every data source that has something to collect. */
  readonly metrics: boolean;
  /** Scope of a data source's metrics, from `--otel-metrics-name`. */
  readonly scopes: ReadonlyMap<string, string>;
  /** Schedule of a data source from the command line; undefined for the gadget's own. */
  readonly schedule: (dataSource: string) => Partial<FetchSchedule>;
  /** Places for the series of all data sources together. */
  readonly seriesBudget: SeriesBudgetHandle;
  readonly printIntervalMs: number;
  readonly display: Display;
  /** Whether others may come to see rows while it runs: `RunningGadget.attach`. */
  readonly isAttachable?: boolean;
  /** A program that cannot load or attach is an error, even if the others can do without it. */
  readonly strict: boolean;
  /** Kernel BTF file instead of the running kernel's. */
  readonly btfFile?: string;
  /** Takes the source text of generated code, for `--dump-code`. */
  readonly dumpCode?: (dataSource: string, source: string) => void;
  /** Takes warnings: one sentence, perhaps with indented lines that tell more, and what to do. */
  readonly warn: (text: string, hint?: string) => void;
}
