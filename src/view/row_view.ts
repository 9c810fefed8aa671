/** One interface for all ways of showing rows. */

import type { Field, FieldFormatter, RecordBytes } from "../decode/mod.ts";
import { type ColumnsViewOptions, createColumnsView } from "./columns.ts";
import { createObjectView } from "./json.ts";
import { createRecordOrder } from "./record_order.ts";

/** Renders rows. Every text is "" or ends in a line break: write it as it is. */
export interface RowView {
  /** What comes before the first row. */
  header(): string;
  /** One event. */
  row(record: RecordBytes): string;
  /** All rows of one fetch of a map or iterator. Cursors may be reused while iterating. */
  rows(records: Iterable<RecordBytes>): string;
}

/** Values of `-o/--output`. */
export type RowViewMode = "columns" | "json" | "jsonpretty" | "yaml" | "none";

/** All modes, for usage texts and checks. */
export const ROW_VIEW_MODES: readonly RowViewMode[] = [
  "columns",
  "json",
  "jsonpretty",
  "yaml",
  "none",
];

export interface RowViewOptions extends ColumnsViewOptions {
  readonly fields: readonly Field[];
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  /** Text of `--sort`: `f,-g`; applies to `rows`. */
  readonly sort?: string;
  /** `--max-entries`: rows of one fetch that are shown; negative or absent for all. */
  readonly maxEntries?: number;
}

/** Makes the view of a mode. Throws: UsageError for bad `selection` or `sort`. */
export function createRowView(mode: RowViewMode, options: RowViewOptions): RowView {
  const order = createRecordOrder(options);
  const view = createUnorderedView(mode, options);
  return { ...view, rows: (records) => view.rows(order(records)) };
}

function createUnorderedView(mode: RowViewMode, options: RowViewOptions): RowView {
  switch (mode) {
    case "columns":
      return createColumnsView(options);
    case "none":
      return { header: () => "", row: () => "", rows: () => "" };
    default:
      return createObjectView(mode, options);
  }
}
