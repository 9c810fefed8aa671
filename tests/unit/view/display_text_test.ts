// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { truncateText } from "../../../src/view/display_text.ts";
import { displayWidth } from "../../../src/view/mod.ts";

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

Deno.test("a wide character is never cut in half", () => {
  assertEquals(truncateText("日本語", { width: 4, ellipsis: "end" }), "日…");
  assertEquals(truncateText("日本語", { width: 4, ellipsis: "start" }), "…語");
  assertEquals(truncateText("日本語", { width: 1, ellipsis: "end" }), "…");
  assertEquals(truncateText("日本語", { width: 0, ellipsis: "end" }), "");
});
