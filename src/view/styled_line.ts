/** Lines of text that is set apart. */

import type { Segment, Styles } from "../text/mod.ts";
import { displayWidth, truncateText } from "./display_text.ts";

/** A line that is cut to `width`, then styled. */
export function styledLine(
  segments: readonly Segment[],
  { width, styles }: { width: number; styles: Styles },
): string {
  let left = width;
  let line = "";
  for (const segment of segments) {
    const [style, whole] = typeof segment === "string" ? [undefined, segment] : segment;
    const text = truncateText(whole, { width: left, ellipsis: "end" });
    line += style === undefined ? text : styles[style](text);
    left -= displayWidth(text);
    if (text !== whole) break;
  }
  return line;
}
