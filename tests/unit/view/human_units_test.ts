// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { humanText } from "../../../src/view/human_units.ts";

const TEXTS: readonly [value: number, unit: string, text: string][] = [
  [0, "ns", "0 ns"],
  [999, "ns", "999 ns"],
  [999.6, "ns", "1 µs"],
  [1023, "us", "1.02 ms"],
  [12_345, "us", "12.3 ms"],
  [123_456, "us", "123 ms"],
  [3_600, "s", "3600 s"],
  [1023, "By", "1023 B"],
  [1024, "By", "1 KiB"],
  [1536, "By", "1.5 KiB"],
  [2 ** 63, "By", "8 EiB"],
  [2 ** 20, "KiBy", "1 GiB"],
  [-2048, "By", "-2 KiB"],
  [12_345, "", "12345"],
  [0.123, "", "0.12"],
  [Infinity, "us", "∞"],
  [5, "packets", "5"],
];
for (const [value, unit, text] of TEXTS) {
  Deno.test(`${value} ${unit} is ${text}`, () => assertEquals(humanText(value, unit), text));
}
