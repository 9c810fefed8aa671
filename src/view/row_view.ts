/** The one interface of all ways of showing rows. */

import type { RecordBytes } from "../decode/mod.ts";

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
