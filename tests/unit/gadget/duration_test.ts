// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { parseDurationMs } from "../../../src/gadget/mod.ts";

const DURATIONS: [text: string, ms: number | undefined][] = [
  ["0", 0],
  ["1000ms", 1000],
  ["1.5s", 1500],
  ["1h30m", 5_400_000],
  [" 2m ", 120_000],
  [".5s", 500],
  ["250us", 0.25],
  ["5", undefined],
  ["-1s", undefined],
  ["1 s", undefined],
  ["s", undefined],
  ["1d", undefined],
  ["", undefined],
];
for (const [text, ms] of DURATIONS) {
  Deno.test(`duration ${JSON.stringify(text)}`, () => assertEquals(parseDurationMs(text), ms));
}
