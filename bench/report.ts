/**
 * Measures everything and writes bench/RESULTS.md and bench/results.svg. Takes up to ten minutes, and
 * needs root and nothing else at work on the machine.
 *
 * Usage: deno task bench:report [--save FILE] [--from FILE]
 *   --save FILE   keep what was measured as JSON, too
 *   --from FILE   measure nothing, take what was kept
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { churnTable, measureChurn } from "./churn.ts";
import { type BenchResult, type BenchRun, itemNs, joinRuns, runBenches } from "./bench_runs.ts";
import { measureMemory, memoryTable } from "./memory.ts";
import { formatNumber, formatTime, formatWhole } from "./numbers.ts";
import { type Bar, drawBars } from "./plot.ts";
import { measureRates, ratesTables } from "./rates.ts";
import { describeMachine, type Machine, type Results } from "./results.ts";
import { measureSoak, soakTable } from "./soak.ts";
import { renderTable, type Table } from "./table.ts";
import { judge, targetsTable } from "./targets.ts";

/** Runs of the bench files, as many as the time is enough for. */
const MAX_RUNS = 3;
const RUNS_MS = 330_000;
const RATE_SECONDS = 4;
const SOAK_SECONDS = 60;
const CHURN_SECONDS = 20;
/** Measures everything, one thing at a time. */
async function measureAll(): Promise<Results> {
  const machine = await describeMachine();
  const benches: BenchRun[] = [];
  const startMs = performance.now();
  let nextEndMs = 0;
  do {
    await step(`benches, run ${benches.length + 1}`, async () => benches.push(await runBenches()));
    const meanMs = (performance.now() - startMs) / benches.length;
    nextEndMs = meanMs * (benches.length + 1);
  } while (benches.length < MAX_RUNS && nextEndMs <= RUNS_MS);
  return {
    machine,
    benches,
    rates: await step("rates", () => measureRates({ seconds: RATE_SECONDS })),
    soak: await step("soak", () => measureSoak({ seconds: SOAK_SECONDS })),
    memory: await step("memory", measureMemory),
    churn: await step("churn", () => measureChurn({ seconds: CHURN_SECONDS })),
  };
}

async function step<T>(name: string, measure: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await measure();
  console.error(`${name}: ${Math.round((performance.now() - startMs) / 1000)} s`);
  return result;
}

/** The report as markdown. */
export function renderReport(results: Results): string {
  const benches = joinRuns(results.benches);
  const groups = groupsOf(benches);
  const tables = [
    targetsTable(judge(results, benches)),
    ...groups.map((group) => benchTable(group, benches.filter((bench) => bench.group === group))),
    ...ratesTables(results.rates),
    soakTable(results.soak),
    memoryTable(results.memory),
    churnTable(results.churn),
  ];
  return [
    "# How fast kmeter is",
    "",
    describe(results.machine, results.benches.length),
    "",
    "![Time per item, by group](results.svg)",
    "",
    tables.map(renderTable).join("\n"),
  ].join("\n");
}

function describe(machine: Machine, runs: number): string {
  return `${machine.date}, commit ${machine.commit}: ${machine.cores} × ${machine.cpu}, ` +
    `Linux ${machine.kernel}, Deno ${machine.deno}. Times of benches are medians of ${runs} runs ` +
    "(the mean of each run), with the lowest and the highest; ratios are to the baseline in the same " +
    "run. Repeat it with `deno task bench:report`.";
}

function benchTable(group: string, benches: readonly BenchResult[]): Table {
  return {
    title: `Bench: ${group}`,
    columns: ["what", "items", "time", "range", "per item", "× baseline"],
    rows: benches.map((bench) => [
      bench.name,
      bench.items === undefined ? "" : formatWhole(bench.items.count),
      formatTime(bench.medianNs),
      `${formatTime(bench.lowestNs)} … ${formatTime(bench.highestNs)}`,
      bench.items === undefined ? "" : formatTime(itemNs(bench)),
      bench.isBaseline ? "baseline" : bench.ratio === undefined ? "" : formatNumber(bench.ratio),
    ]),
  };
}

function groupsOf(benches: readonly BenchResult[]): string[] {
  return [...new Set(benches.map(({ group }) => group))].sort();
}

/** The picture: time per item, one bar for each bench that handles many, so that they can be compared. */
export function renderPlot(results: Results): string {
  const benches = joinRuns(results.benches);
  const groups = groupsOf(benches).map((group) => {
    const bars = benches.filter((bench) => bench.group === group && bench.items !== undefined);
    return { heading: `${group}, per ${bars[0]?.items?.name}`, bars: bars.map(barOf) };
  });
  return drawBars(groups.filter(({ bars }) => bars.length > 0), {
    title: "Time per item: median, lowest and highest run; kmeter in blue, others in grey",
    tick: (ns) => formatTime(ns).replace(/\.0+ /, " "),
  });
}

function barOf(bench: BenchResult): Bar {
  const { count } = bench.items ?? { count: 1 };
  return {
    label: bench.name,
    value: itemNs(bench),
    lowest: bench.lowestNs / count,
    highest: bench.highestNs / count,
    text: formatTime(itemNs(bench)),
    style: /^(kmeter[:, ]|generated|rows)/.test(bench.name) ? "own" : "peer",
  };
}

/** The value of an option; undefined if it is not given. */
function option(name: string): string | undefined {
  const at = Deno.args.indexOf(name);
  return at < 0 ? undefined : Deno.args[at + 1];
}

if (import.meta.main) {
  const [from, save] = [option("--from"), option("--save")];
  const results: Results = from === undefined
    ? await measureAll()
    : JSON.parse(Deno.readTextFileSync(from));
  if (save !== undefined) Deno.writeTextFileSync(save, JSON.stringify(results));
  Deno.writeTextFileSync(new URL("RESULTS.md", import.meta.url), renderReport(results));
  Deno.writeTextFileSync(new URL("results.svg", import.meta.url), renderPlot(results));
  console.log(renderTable(targetsTable(judge(results, joinRuns(results.benches)))));
}
