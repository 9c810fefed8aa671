// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { type BenchRun, itemNs, itemsOf, joinRuns } from "../../../bench/bench_runs.ts";

function run(times: Readonly<Record<string, number>>): BenchRun {
  return {
    benches: Object.entries(times).map(([name, avg]) => ({
      group: "ingest",
      name,
      baseline: name === "C",
      results: [{ ok: { avg, min: avg / 2 } }],
    })),
  };
}

Deno.test("runs are joined by their medians, ratios are made within each run", () => {
  const [peer, own] = joinRuns([
    run({ C: 100, kmeter: 400 }),
    run({ C: 400, kmeter: 800 }),
    run({ C: 300, kmeter: 900 }),
  ]);
  assertEquals([peer.isBaseline, peer.medianNs, peer.ratio], [true, 300, 1]);
  assertEquals([own.lowestNs, own.medianNs, own.highestNs, own.fastestNs], [400, 800, 900, 200]);
  // 4, 2 and 3 times; the medians of the times would give 2.67.
  assertEquals(own.ratio, 3);
});

Deno.test("without a baseline there is no ratio", () => {
  assertEquals(joinRuns([run({ kmeter: 5 })])[0].ratio, undefined);
});

Deno.test("a bench that failed in one run is an error", () => {
  const failed = {
    benches: [{ ...run({ C: 1 }).benches[0], results: [{ failed: "why" }] }],
  };
  assertThrows(() => joinRuns([run({ C: 1 }), failed]), Error, 'bench "C" failed');
});

Deno.test("the name says how many items a bench handles, else its group", () => {
  assertEquals(itemsOf("scrape", "kmeter, 1M counters, text"), { count: 1e6, name: "series" });
  assertEquals(itemsOf("maps", "C: batch calls alone"), { count: 100_000, name: "entry" });
  assertEquals(itemsOf("maps: array, 131,072 elements", "C"), { count: 131_072, name: "entry" });
  assertEquals(itemsOf("ingest", "kmeter: 1000 series"), { count: 300_000, name: "event" });
  assertEquals(itemsOf("startup", "kmeter version"), undefined);
  assertEquals(itemsOf("startup", "with 10k series"), undefined);
});

Deno.test("the time of an item is a part of the iteration's", () => {
  const [bench] = joinRuns([run({ C: 600_000 })]);
  assertEquals(itemNs(bench), 2);
});
