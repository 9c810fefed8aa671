/** What must not get to a terminal as it is. */

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
