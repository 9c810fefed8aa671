/**
 * Text on a terminal: how wide it is, and how it is cut.
 *
 * The npm build of `@std/cli/unicode-width` lacks its data file, so widths come from the Unicode
 * properties that the regular expression engine knows.
 */

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;
/** East Asian Wide and Fullwidth blocks, and characters that show as emoji. */
const WIDE = new RegExp(
  "[\\u1100-\\u115f\\u2329\\u232a\\u2e80-\\u303e\\u3041-\\u4dbf\\u4e00-\\ua4cf\\ua960-\\ua97f" +
    "\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6" +
    "\\u{16fe0}-\\u{18dff}\\u{1aff0}-\\u{1b2ff}\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]|" +
    "\\p{Emoji_Presentation}",
  "u",
);

function characterWidth(character: string): number {
  if (PRINTABLE_ASCII.test(character)) return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns that escaped text takes on a terminal. */
export function displayWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** Where the mark goes when text is cut. */
export type Ellipsis = "end" | "start" | "middle" | "none";

const MARK = "…";

/** Cuts text to at most `width` columns, showing by `…` that it was cut (except for "none"). */
export function truncateText(text: string, fit: { width: number; ellipsis: Ellipsis }): string {
  const { width, ellipsis } = fit;
  if (displayWidth(text) <= width) return text;
  if (ellipsis === "none") return takeStart(text, width);
  if (width < 1) return "";
  const kept = width - 1;
  if (ellipsis === "end") return takeStart(text, kept) + MARK;
  if (ellipsis === "start") return MARK + takeEnd(text, kept);
  const startWidth = Math.ceil(kept / 2);
  return takeStart(text, startWidth) + MARK + takeEnd(text, kept - startWidth);
}

function takeStart(text: string, width: number): string {
  let left = width;
  let taken = "";
  for (const character of text) {
    left -= characterWidth(character);
    if (left < 0) break;
    taken += character;
  }
  return taken;
}

function takeEnd(text: string, width: number): string {
  let left = width;
  let taken = "";
  for (const character of [...text].reverse()) {
    left -= characterWidth(character);
    if (left < 0) break;
    taken = character + taken;
  }
  return taken;
}
