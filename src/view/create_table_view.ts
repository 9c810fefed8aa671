/** Tables of a terminal that are drawn again and again in the same place. */

import { type Field, leafName, type RecordBytes } from "../decode/mod.ts";
import { type ColumnsViewOptions, createColumnsView, type Table } from "./columns.ts";
import { createRecordOrder } from "./record_order.ts";

export interface TableViewOptions extends ColumnsViewOptions {
  /** Text of `--sort`. */
  readonly sort?: string;
  /** The order without `--sort`: the highest first. */
  readonly busiest?: Field;
  /** `--max-entries`; negative or absent for all. */
  readonly maxEntries?: number;
}

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
export function createTableView(options: TableViewOptions): TableView {
  const { busiest } = options;
  const given = (options.sort ?? "").trim();
  const order = createRecordOrder({
    ...options,
    sort: given || (busiest && `-${busiest.name}`),
  });
  const columns = createColumnsView({ ...options, isTty: true });
  return {
    order: given || (busiest === undefined ? "" : `-${leafName(busiest)}`),
    table: (records, { maxRows }) => {
      const limit = options.maxEntries ?? -1;
      const count = Math.min(records.length, limit < 0 ? Infinity : limit, maxRows);
      const table = columns.table(order(records), { maxRows: count });
      return { ...table, total: records.length, count };
    },
  };
}
