/** What the project wants to reach, and whether some results do. */

import type { BenchResult } from "./bench_runs.ts";
import { itemNs } from "./bench_runs.ts";
import { bytesPerSeries } from "./memory.ts";
import { churnGrowth } from "./churn.ts";
import { formatNumber, formatPercent, formatTime, formatWhole } from "./numbers.ts";
import type { Results } from "./results.ts";
import type { Table } from "./table.ts";

/** A target and how it was met. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  /** "" if nothing was measured that tells. */
  readonly measured: string;
  /** Undefined if nothing was measured that tells. */
  readonly isMet: boolean | undefined;
}

/** What is measured against a target: its text, and whether it is good enough. */
interface Measured {
  readonly text: string;
  readonly isMet: boolean;
}

interface Target {
  readonly what: string;
  readonly target: string;
  readonly measure: (found: Found) => Measured | undefined;
}

/** The results, with a way to find a bench by the start of its group and by its name. */
interface Found {
  readonly results: Results;
  readonly bench: (group: string, name: RegExp) => BenchResult | undefined;
}

/** More is no noise. */
const MAX_GROWTH = 0.05;

const TARGETS: readonly Target[] = [
  {
    what: "ingest: comm and pid keys, counter and implicit counter, 1k series",
    target: "≤ 6 × C's bare loop, ≤ 30 ns an event",
    measure: ({ bench }) => ratioAndTime(bench("ingest", /2 counters, 1000 series/), [6, 30]),
  },
  {
    what: "the same, 100k series",
    target: "≤ 15 ×",
    measure: ({ bench }) => ratioAndTime(bench("ingest", /2 counters, 100000 series/), [15]),
  },
  {
    what: "event whose key is over the limit: as fast as one of 10k series",
    target: "≥ 1 ×",
    measure: ({ bench }) =>
      timesFaster(bench("ingest", /limit of 100,/), bench("ingest", /2 counters, 10000 series/), 1),
  },
  {
    what: "event with 3 keys, 1 counter, 1 gauge, 1 histogram",
    target: "≤ 60 ns",
    measure: ({ bench }) => timeOf(bench("ingest", /3 keys/), 60),
  },
  {
    what: "full rate of one core, scraped every second with 100k series",
    target: "0 lost",
    measure: ({ results: { soak } }) => ({
      text: `${formatWhole(soak.lost)} of ${formatWhole(soak.produced + soak.failed)} lost`,
      isMet: soak.lost === 0 && soak.failed === 0 && soak.counted === soak.produced,
    }),
  },
  {
    what: "CPU for 100k events/s, whole process, over idle",
    target: "≤ 3 % of one core",
    measure: ({ results }) => {
      const over = cpuAt(results, "100k") - cpuAt(results, "0");
      return { text: formatPercent(Math.max(0, over)), isMet: over <= 0.03 };
    },
  },
  {
    what: "100k-entry hash map to scrape body, end to end",
    target: "≤ 1.5 × C's batch read + 40 ms",
    measure: ({ bench }) => {
      const own = bench("maps: hash", /every value changed, with the page's text/);
      const peer = bench("maps: hash", /^C: batch calls$/);
      if (own === undefined || peer === undefined) return undefined;
      const limit = 1.5 * peer.medianNs + 40e6;
      const text = `${formatTime(own.medianNs)}, limit ${formatTime(limit)}`;
      return { text, isMet: own.medianNs <= limit };
    },
  },
  {
    what: "exposition of 100k three-label counters against prom-client",
    target: "≥ 30 × faster",
    measure: ({ bench }) =>
      timesFaster(bench("scrape", OWN_TEXT), bench("scrape", /prom-client/), 30),
  },
  {
    what: "the same against Python's generate_latest",
    target: "≥ 40 × faster",
    measure: ({ bench }) => timesFaster(bench("scrape", OWN_TEXT), bench("scrape", /Python/i), 40),
  },
  {
    what: "the same, a series",
    target: "≤ 150 ns",
    measure: ({ bench }) => timeOf(bench("scrape", OWN_TEXT), 150),
  },
  {
    what: "scrape of 1M series over HTTP, identity",
    target: "≤ 0.25 s",
    measure: ({ results }) => {
      const seconds = withMostSeries(results).nextScrape.seconds;
      return { text: formatTime(seconds * 1e9), isMet: seconds <= 0.25 };
    },
  },
  {
    what: "the same with gzip",
    target: "≤ 0.35 s",
    measure: ({ bench }) => {
      const scrape = bench("scrape", /HTTP, 1M.*gzip/);
      if (scrape === undefined) return undefined;
      return { text: formatTime(scrape.medianNs), isMet: scrape.medianNs <= 0.35e9 };
    },
  },
  {
    what: "another request during scrapes of 1M series, the first included",
    target: "waits ≤ 10 ms",
    measure: ({ results }) => {
      const { longestWaitMs } = withMostSeries(results);
      return { text: formatTime(longestWaitMs * 1e6), isMet: longestWaitMs <= 10 };
    },
  },
  {
    what: "counting slot histograms with 10^9 in each slot against 1",
    target: "same time (± 25 %)",
    measure: ({ bench }) => {
      const many = bench("maps: slot histograms", /10\^9 in each slot/);
      const one = bench("maps: slot histograms", /\b1 in each slot/);
      if (many === undefined || one === undefined) return undefined;
      const ratio = many.medianNs / one.medianNs;
      return { text: `${formatNumber(ratio)} ×`, isMet: ratio <= 1.25 };
    },
  },
  {
    what: "idle CPU",
    target: "≤ 0.1 % of one core",
    measure: ({ results }) => {
      const cpu = cpuAt(results, "0");
      return { text: formatPercent(cpu), isMet: cpu <= 0.001 };
    },
  },
  {
    what: "process start to first scrape answered, built-in gadget",
    target: "≤ 400 ms",
    measure: ({ bench }) => timeOf(bench("startup", /first scrape/), 400e6),
  },
  {
    what: "memory of a series beyond twice its label text, 1M series",
    target: "≤ 250 bytes",
    measure: ({ results }) => {
      const bytes = bytesPerSeries(results.memory, withMostSeries(results).series);
      return { text: `${Math.round(bytes)} bytes`, isMet: bytes <= 250 };
    },
  },
  {
    what: "growth of memory under key churn, one hour simulated",
    target: `≤ ${formatPercent(MAX_GROWTH)} in its last third`,
    measure: ({ results }) => {
      const growth = Math.max(...results.churn.map(churnGrowth));
      return { text: formatPercent(growth), isMet: growth <= MAX_GROWTH };
    },
  },
];

const OWN_TEXT = /^kmeter.*100k counters, text/;

/** Holds the results against the targets. */
export function judge(results: Results, benches: readonly BenchResult[]): Verdict[] {
  const bench = (group: string, name: RegExp) =>
    benches.find((candidate) => candidate.group.startsWith(group) && name.test(candidate.name));
  return TARGETS.map(({ what, target, measure }) => {
    const measured = measure({ results, bench });
    return { what, target, measured: measured?.text ?? "", isMet: measured?.isMet };
  });
}

/** The verdicts as a table. */
export function targetsTable(verdicts: readonly Verdict[]): Table {
  return {
    title: "Targets",
    columns: ["what", "target", "measured", "met"],
    rows: verdicts.map(({ what, target, measured, isMet }) => [
      what,
      target,
      measured,
      isMet === undefined ? "not measured" : isMet ? "yes" : "**no**",
    ]),
  };
}

/** Median ratio to the baseline, and time of an item if that has a limit too. */
function ratioAndTime(
  bench: BenchResult | undefined,
  [maxRatio, maxNs = Infinity]: readonly [number, number?],
): Measured | undefined {
  if (bench?.ratio === undefined) return undefined;
  const ns = itemNs(bench);
  return {
    text: `${formatNumber(bench.ratio)} ×, ${formatTime(ns)}`,
    isMet: bench.ratio <= maxRatio && ns <= maxNs,
  };
}

function timeOf(bench: BenchResult | undefined, maxNs: number): Measured | undefined {
  if (bench === undefined) return undefined;
  const ns = itemNs(bench);
  return { text: formatTime(ns), isMet: ns <= maxNs };
}

function timesFaster(
  own: BenchResult | undefined,
  peer: BenchResult | undefined,
  atLeast: number,
): Measured | undefined {
  if (own === undefined || peer === undefined) return undefined;
  const factor = itemNs(peer) / itemNs(own);
  return { text: `${formatNumber(factor)} ×`, isMet: factor >= atLeast };
}

function cpuAt({ rates }: Results, name: string): number {
  const result = rates.rates.find((candidate) => candidate.name === name);
  if (result === undefined) throw new Error(`BUG: no rate ${name}`);
  return result.cpu;
}

function withMostSeries({ memory }: Results): Results["memory"][number] {
  return memory[memory.length - 1];
}
