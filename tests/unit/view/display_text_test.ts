// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { truncateText } from "../../../src/view/display_text.ts";
import { displayWidth, escapeControls } from "../../../src/view/mod.ts";

const WIDTHS: readonly [string, number][] = [
  ["", 0],
  ["abc", 3],
  ["naïve", 5],
  ["e\u0301", 1],
  ["天地玄黃", 8],
  ["ｆｕｌｌ", 8],
  ["ﾊﾝｶｸ", 4],
  ["한글", 4],
  ["🎉", 2],
  ["…", 1],
  ["a\u200bb", 2],
];
for (const [text, width] of WIDTHS) {
  Deno.test(`"${text}" is ${width} columns wide`, () => assertEquals(displayWidth(text), width));
}

const ESCAPES: readonly [string, string][] = [
  ["plain ~", "plain ~"],
  ["日本", "日本"],
  ["\x1b[2J", "\\x1b[2J"],
  ["a\r\n\tb\0", "a\\r\\n\\tb\\x00"],
  ["\x7f\x9b31m", "\\x7f\\x9b31m"],
  ["\u202e\u2028\u2066", "\\u202e\\u2028\\u2066"],
  ["\ud800x\udc00", "\\ud800x\\udc00"],
  ["🎉", "🎉"],
];
for (const [text, escaped] of ESCAPES) {
  Deno.test(`${JSON.stringify(text)} reaches the terminal as ${escaped}`, () => {
    assertEquals(escapeControls(text), escaped);
  });
}

Deno.test("a wide character is never cut in half", () => {
  assertEquals(truncateText("日本語", { width: 4, ellipsis: "end" }), "日…");
  assertEquals(truncateText("日本語", { width: 4, ellipsis: "start" }), "…語");
  assertEquals(truncateText("日本語", { width: 1, ellipsis: "end" }), "…");
  assertEquals(truncateText("日本語", { width: 0, ellipsis: "end" }), "");
});
