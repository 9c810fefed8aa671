// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type Bar, drawBars } from "../../../bench/plot.ts";

const OPTIONS = { title: "t", tick: String };

function bar(value: number, parts: Partial<Bar> = {}): Bar {
  const text = String(value);
  return { label: "b", value, lowest: value, highest: value, text, style: "own", ...parts };
}

function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
}

Deno.test("each power of ten is as wide as the other", () => {
  const svg = drawBars([{ heading: "g", bars: [bar(1), bar(10), bar(100)] }], OPTIONS);
  const [one, ten, hundred] = widths(svg);
  assertEquals(one, 0);
  assertEquals(hundred, 2 * ten);
  assert(ten > 0);
});

Deno.test("the axis ends at the powers of ten around all bars and their ranges", () => {
  const bars = [bar(20, { lowest: 5 }), bar(30, { highest: 2000 })];
  const svg = drawBars([{ heading: "g", bars }], OPTIONS);
  const ticks = [...svg.matchAll(/text-anchor="middle">([^<]+)</g)].map(([, text]) => text);
  assertEquals(ticks, ["1", "10", "100", "1000", "10000"]);
});

Deno.test("text is escaped", () => {
  const svg = drawBars([{ heading: "a<b & c", bars: [bar(1, { label: "x>y" })] }], OPTIONS);
  assert(svg.includes("a&lt;b &amp; c"));
  assert(svg.includes("x&gt;y"));
});
