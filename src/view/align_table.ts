/** Cells as lines, as wide as their widest. */

import { displayWidth, escapeControls } from "./display_text.ts";

/** The first `leftCount` columns are flush left, the others right. */
export function alignTable(
  rows: readonly (readonly string[])[],
  { leftCount }: { leftCount: number },
): string[] {
  const cells = rows.map((row) => row.map(escapeControls));
  const widths = cells[0].map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i]))));
  return cells.map((row) =>
    row.map((text, i) => {
      const padding = " ".repeat(widths[i] - displayWidth(text));
      return i < leftCount ? text + padding : padding + text;
    }).join(" ").trimEnd()
  );
}
