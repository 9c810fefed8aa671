/** Tables of a terminal that are drawn again and again in the same place. */

import { leafName, type RecordBytes } from "../decode/mod.ts";
import { createColumnsView, type Table } from "./columns.ts";
import type { RowViewOptions } from "./create_row_view.ts";
import { createRecordOrder } from "./record_order.ts";

/** One fetch as a table. */
export interface FetchTable extends Table {
  /** Rows that were fetched. */
  readonly total: number;
  /** Rows at hand. */
  readonly count: number;
}

/** Makes tables of fetches. */
export interface TableView {
  /** What is in front, for the reader: `-calls`; "" if rows are as they came. */
  readonly order: string;
  /** @param options.maxRows more are not kept, however high a terminal gets. */
  table(records: readonly RecordBytes[], options: { maxRows: number }): FetchTable;
}

/** Throws: UsageError for bad `selection` or `sort`. */
export function createTableView(options: RowViewOptions): TableView {
  const { busiest, sort = "" } = options;
  const order = createRecordOrder(options);
  const columns = createColumnsView({ ...options, isTty: true });
  return {
    order: sort || (busiest === undefined ? "" : `-${leafName(busiest)}`),
    table: (records, { maxRows }) => {
      const limit = options.maxEntries ?? -1;
      const count = Math.min(records.length, limit < 0 ? Infinity : limit, maxRows);
      const table = columns.table(order(records), { maxRows: count });
      return { ...table, total: records.length, count };
    },
  };
}
