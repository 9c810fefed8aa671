/**
 * Text on a terminal: how wide it is, how it is cut, and what must not get there.
 *
 * The npm build of `@std/cli/unicode-width` lacks its data file, so widths come from the Unicode
 * properties that the regular expression engine knows.
 */

/** C0, DEL, C1, line separators, direction overrides and lone surrogates: they act, they do not show. */
const UNSAFE =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u;
const ALL_UNSAFE = new RegExp(UNSAFE, "gu");
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const NAMED_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeUnsafe(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED_ESCAPES[character] ??
    (code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`);
}

/** The text with everything visible as `\x1b`, `\n`, `\u202e` that would control the terminal. */
export function escapeControls(text: string): string {
  return UNSAFE.test(text) ? text.replace(ALL_UNSAFE, escapeUnsafe) : text;
}

/** True if laid-out text holds characters, besides line breaks, that would control the terminal. */
export function hasControls(text: string): boolean {
  return UNSAFE.test(text.replaceAll("\n", ""));
}

/** As `escapeControls`, for JSON text that `JSON.stringify` made: it stays valid and equal. */
export function escapeControlsInJson(json: string): string {
  if (PRINTABLE_ASCII.test(json)) return json;
  return json.replace(
    ALL_UNSAFE,
    // Line breaks here are layout: those inside strings are escaped already.
    (character) =>
      character === "\n"
        ? character
        : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

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
