/** Where rows and drawn metrics go. */

import type { LocalDataSource } from "../operators/mod.ts";
import type { MetricSet } from "../metrics/mod.ts";
import type { RowView } from "../view/mod.ts";

/** Shows rows and drawn metrics of one gadget. */
export interface Display {
  /** True if a `metrics.print` data source is drawn; else its rows are shown like those of others. */
  draws(source: Pick<LocalDataSource, "name">): boolean;
  /** Makes the view of a data source's rows; undefined if its rows are not shown. */
  rowView(source: Pick<LocalDataSource, "spec" | "formatters" | "schedule">): RowView | undefined;
  /** Draws all metrics that are printed; called once per print interval. */
  metrics(sets: readonly MetricSet[]): string;
  /** Prints the first header or picture, so that a quiet gadget shows that it runs, and one that fails shows nothing. */
  begin(): void;
  /** Gives the terminal back; what was shown last stays on it. Idempotent. */
  leave(): void;
  /** Takes finished text, whole. */
  write(text: string): void;
  /** True while nobody takes what was written: then more should wait, or be left out. */
  isFull(): boolean;
  /** Waits for room while the reader takes anything. @returns false if it does not. */
  room(): Promise<boolean>;
}
