// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { rateText, valueText, visibleText } from "../../../web/numbers.js";

Deno.test("values are short, and in units that people read", () => {
  const rows: [value: number, unit: string, text: string][] = [
    [0, "", "0"],
    [999, "", "999"],
    [1234, "", "1.23k"],
    [2 ** 64, "", "18.4E"],
    [0.12345, "", "0.123"],
    [-1500, "", "-1.5k"],
    [Infinity, "", "Infinity"],
    [NaN, "", "NaN"],
    [12, "{packet}", "12"],
    [3, "V", "3 V"],
    [1023, "us", "1.02 ms"],
    [0, "ns", "0 s"],
    [1.5, "ns", "1.5 ns"],
    [90, "s", "1.5 min"],
    [200_000, "s", "2.31 d"],
    [512, "By", "512 B"],
    [1536, "By", "1.5 KiB"],
    [3, "MiBy", "3 MiB"],
    [1, "constructor", "1 constructor"],
  ];
  for (const [value, unit, text] of rows) assertEquals(valueText(value, unit), text);
  assertEquals(rateText(2048, "By"), "2 KiB/s");
  assertEquals(rateText(16.7, "ms"), "16.7 ms/s");
});

Deno.test("what would not be seen, or act, is written out", () => {
  assertEquals(visibleText("a\x1b[1m\n\u202eb\u0085ü"), "a\\x1b[1m\\x0a\\u202eb\\x85ü");
});
