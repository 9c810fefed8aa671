/** The bench files, run by `deno bench` some times over, and what came out in the middle. */

import { runToEnd } from "./_child.ts";
import { median } from "./numbers.ts";

const FOLDER = new URL(".", import.meta.url).pathname;

/** What `deno bench --json` writes; times in ns. */
export interface BenchRun {
  readonly benches: readonly {
    readonly group: string | null;
    readonly name: string;
    readonly baseline: boolean;
    readonly results: readonly BenchOutcome[];
  }[];
}

type BenchOutcome =
  | { readonly ok: { readonly avg: number; readonly min: number } }
  | { readonly failed: unknown };

/** One bench over all runs. */
export interface BenchResult {
  readonly group: string;
  readonly name: string;
  readonly isBaseline: boolean;
  /** Means of the runs: their median, and the lowest and the highest. ns an iteration. */
  readonly medianNs: number;
  readonly lowestNs: number;
  readonly highestNs: number;
  /** The fastest iteration of all. */
  readonly fastestNs: number;
  /** Median of the ratios to the baseline of the group in the same run; undefined without a baseline. */
  readonly ratio: number | undefined;
  /** What an iteration handles; undefined if it is one thing. */
  readonly items: Items | undefined;
}

/** Number and name of what one iteration handles. */
export interface Items {
  readonly count: number;
  readonly name: string;
}

/**
 * What the benches of a group (the word before a colon) handle, unless its name or theirs say how many.
 * Others handle one thing.
 */
const ITEMS: Readonly<Record<string, Items>> = {
  decode: { count: 10_000, name: "event" },
  ingest: { count: 300_000, name: "event" },
  maps: { count: 100_000, name: "entry" },
  scrape: { count: 100_000, name: "series" },
};
const FACTORS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6 };

/** Runs all bench files once. @throws Error if one fails. */
export async function runBenches(): Promise<BenchRun> {
  const command = [Deno.execPath(), "bench", "--allow-all", "--quiet", "--json", FOLDER];
  return JSON.parse(await runToEnd(command));
}

/** Joins runs of the same benches. @throws Error if a bench failed in one of them. */
export function joinRuns(runs: readonly BenchRun[]): BenchResult[] {
  return runs[0].benches.map(({ group, name, baseline }) => {
    const times = runs.map((run) => timesOf(run, { group, name }));
    const means = times.map(({ avg }) => avg);
    const ratios = runs.flatMap((run, index) => {
      const base = run.benches.find((bench) => bench.group === group && bench.baseline);
      return base === undefined ? [] : [means[index] / timesOf(run, base).avg];
    });
    return {
      group: group ?? "",
      name,
      isBaseline: baseline,
      medianNs: median(means),
      lowestNs: Math.min(...means),
      highestNs: Math.max(...means),
      fastestNs: Math.min(...times.map(({ min }) => min)),
      ratio: ratios.length > 0 ? median(ratios) : undefined,
      items: itemsOf(group ?? "", name),
    };
  });
}

function timesOf(
  run: BenchRun,
  { group, name }: { group: string | null; name: string },
): { avg: number; min: number } {
  const bench = run.benches.find((bench) => bench.group === group && bench.name === name);
  const outcome = bench?.results[0];
  if (outcome === undefined || !("ok" in outcome)) throw new Error(`bench "${name}" failed`);
  return outcome.ok;
}

/** What one iteration handles: `100k` or `100,000` in a name means a hundred thousand. */
export function itemsOf(group: string, name: string): Items | undefined {
  const usual = ITEMS[group.split(":")[0]];
  const match = /\b(?:(\d+)([kM])|(\d{1,3}(?:,\d{3})+))\b/.exec(`${name} ${group}`);
  if (usual === undefined || match === null) return usual;
  const [, short, factor, whole] = match;
  const count = whole === undefined
    ? Number(short) * FACTORS[factor]
    : Number(whole.replaceAll(",", ""));
  return { ...usual, count };
}

/** Time of one item, or of the iteration if that is one thing. */
export function itemNs({ medianNs, items }: BenchResult): number {
  return medianNs / (items?.count ?? 1);
}
