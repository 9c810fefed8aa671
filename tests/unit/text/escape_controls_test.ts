// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { escapeControls } from "../../../src/text/mod.ts";

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
