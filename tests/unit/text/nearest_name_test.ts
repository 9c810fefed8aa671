// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { nearestName, quoteNames, suggestName } from "../../../src/text/mod.ts";

const NEAREST: [word: string, candidates: string[], nearest: string | undefined][] = [
  ["com", ["comm", "pid"], "comm"],
  ["metrics", ["mymetrics"], "mymetrics"],
  ["PID", ["pid"], "pid"],
  ["dpi", ["pid"], undefined],
  ["pdi", ["pid"], "pid"],
  ["x", ["y"], undefined],
  ["latency", ["bytes", "count"], undefined],
  ["comm", [], undefined],
  ["", ["a"], undefined],
  ["comm", ["com", "comma", "comm2"], "com"],
];
for (const [word, candidates, nearest] of NEAREST) {
  Deno.test(`nearest to "${word}" of ${JSON.stringify(candidates)}`, () => {
    assertEquals(nearestName(word, candidates), nearest);
  });
}

Deno.test("long lists of names are cut", () => {
  assertEquals(quoteNames(["a", "b", "c"], 2), '"a", "b" and 1 more');
  assertEquals(quoteNames([]), "none");
  assertEquals(suggestName("q", ["aaa"], "fields"), 'fields: "aaa"');
});
