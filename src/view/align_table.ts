/** Cells as lines, as wide as their widest. */

import { layoutColumns } from "./column_layout.ts";
import { escapeControls } from "../text/mod.ts";
import { displayWidth, truncateText } from "./display_text.ts";

/** A label that is shorter tells nothing. */
const MIN_LABEL_COLUMNS = 6;

export interface AlignTableOptions {
  /** Columns that are flush left, and cut where there is no room; the others are flush right, and whole. */
  readonly leftCount: number;
  readonly widthColumns: number;
}

/** Lines without line breaks. What has no room at all is left out, from the right. */
export function alignTable(
  rows: readonly (readonly string[])[],
  { leftCount, widthColumns }: AlignTableOptions,
): string[] {
  const cells = rows.map((row) => row.map(escapeControls));
  const shapes = cells[0].map((header, i) => {
    const width = Math.max(...cells.map((row) => displayWidth(row[i])));
    const minWidth = i < leftCount ? Math.min(width, MIN_LABEL_COLUMNS) : width;
    const widths = { width, minWidth, maxWidth: width, headerWidth: displayWidth(header) };
    return { ...widths, grows: false, isFixed: false, isCuttable: i < leftCount };
  });
  const widths = layoutColumns(shapes, { lineWidth: widthColumns });
  return cells.map((row) =>
    widths.flatMap((width, i) => {
      if (width === 0) return [];
      const text = truncateText(row[i], { width, ellipsis: "end" });
      const padding = " ".repeat(width - displayWidth(text));
      return i < leftCount ? text + padding : padding + text;
    }).join(" ").trimEnd()
  );
}
