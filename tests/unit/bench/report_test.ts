// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { joinRuns } from "../../../bench/bench_runs.ts";
import type { Results } from "../../../bench/results.ts";
import { judge } from "../../../bench/targets.ts";
import { renderReport } from "../../../bench/report.ts";

function rate(name: string, cpu: number) {
  return { name, eventsPerSecond: 1, cpu, wakeupsPerSecond: 0, received: 1, lost: 0 };
}

function memory(series: number, scrapedBytes: number) {
  const scrape = { seconds: 0.2, bytes: 1000 };
  return {
    series,
    countedBytes: 0,
    scrapedBytes,
    labelBytes: 10 * series,
    firstScrape: scrape,
    nextScrape: scrape,
    longestWaitMs: 5,
  };
}

const RESULTS: Results = {
  machine: { cpu: "CPU", cores: 2, kernel: "6.1", deno: "2.9", commit: "abc", date: "2026-01-31" },
  benches: [{
    benches: [
      { group: "ingest", name: "C", baseline: true, results: [{ ok: { avg: 1e6, min: 1e6 } }] },
      {
        group: "ingest",
        name: "kmeter: 2 counters, 1000 series",
        baseline: false,
        results: [{ ok: { avg: 6e6, min: 5e6 } }],
      },
    ],
  }],
  rates: {
    rates: [rate("0", 0.0005), rate("100k", 0.0405)],
    peer: [],
    latencies: [],
  },
  soak: {
    seconds: 60,
    keys: 1,
    produced: 100,
    failed: 0,
    received: 100,
    lost: 0,
    counted: 100,
    scrapes: [{ seconds: 1, bytes: 1 }],
    cpu: 0.5,
    peakResidentBytes: 1,
  },
  memory: [memory(1, 1000), memory(1_000_000, 1000 + 270e6)],
  churn: [{
    name: "limit",
    keys: 1,
    series: 1,
    overflowed: 0,
    residentBytes: [1, 1, 1, 10, 10, 10, 10, 10, 12],
  }],
};

function verdicts(results: Results): Map<string, boolean | undefined> {
  return new Map(
    judge(results, joinRuns(results.benches)).map(({ what, isMet }) => [what, isMet]),
  );
}

Deno.test("targets are met at the limit, and missed above it", () => {
  const found = verdicts(RESULTS);
  const of = (start: string) => [...found].find(([what]) => what.startsWith(start))?.[1];
  assertEquals(of("ingest: comm and pid"), true); // 6 times, 20 ns
  assertEquals(of("idle CPU"), true); // 0.05 %
  assertEquals(of("CPU for 100k"), false); // 4 % over idle
  assertEquals(of("full rate"), true);
  assertEquals(of("scrape of 1M"), true);
  assertEquals(of("memory of a series"), true); // 250 bytes
  assertEquals(of("growth of memory"), false); // a fifth
});

Deno.test("what was not measured is neither met nor missed", () => {
  assertEquals(
    verdicts(RESULTS).get("event with 3 keys, 1 counter, 1 gauge, 1 histogram"),
    undefined,
  );
  assert(renderReport(RESULTS).includes("not measured"));
});

Deno.test("events that are in no series are a miss, though none was lost", () => {
  const results = { ...RESULTS, soak: { ...RESULTS.soak, counted: 99 } };
  const [, isMet] = [...verdicts(results)].find(([what]) => what.startsWith("full rate")) ?? [];
  assertEquals(isMet, false);
});
