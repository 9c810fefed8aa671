/** Picks the way of showing rows. */

import type { Field, FieldFormatter } from "../decode/mod.ts";
import { type ColumnsViewOptions, createColumnsView } from "./columns.ts";
import { createObjectView } from "./json.ts";
import { createRecordOrder } from "./record_order.ts";
import type { RowView, RowViewMode } from "./row_view.ts";

export interface RowViewOptions extends ColumnsViewOptions {
  readonly fields: readonly Field[];
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  /** Text of `--sort`: `f,-g`; applies to `rows`. */
  readonly sort?: string;
  /** The order of `rows` without `--sort`: the highest first. */
  readonly busiest?: Field;
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
