/**
 * An hour of key churn in short: 3.6 million keys that never come back, as 1000 new ones a second
 * make in an hour. Memory must not grow with them: `metrics.limit` bounds the series, with `metrics.ttl`
 * those that live at a time.
 *
 * Usage: deno task bench:churn [--seconds N]
 */

import { fixtureFolder, Kmeter, sumOf } from "./_kmeter.ts";
import { formatBytes, formatCount, formatPercent } from "./numbers.ts";
import { Producer } from "./_producer.ts";
import { residentBytes } from "./_process_usage.ts";
import { secondsOption } from "./_seconds_option.ts";
import { printTables, type Table } from "./table.ts";

/** How memory went in one case. */
export interface ChurnResult {
  readonly name: string;
  readonly keys: number;
  /** Series at the end. */
  readonly series: number;
  /** Events for whose key there was no room. */
  readonly overflowed: number;
  /** Resident memory, read at even intervals. */
  readonly residentBytes: readonly number[];
}

const KEYS = 3_600_000;
/** A ttl of two minutes in an hour. */
const TTL_PART = 1 / 30;
/** Room for all series that live at a time: rows of dead ones are used again when there is no other. */
const TTL_LIMIT = 300_000;
/** Scrapes, and readings of the memory. */
const STEPS = 60;

/** Runs both cases, `seconds` each. Needs root. */
export async function measureChurn({ seconds }: { seconds: number }): Promise<ChurnResult[]> {
  using producer = await Producer.compile();
  const ttl = `${Math.ceil(seconds * TTL_PART * 1000)}ms`;
  return [
    await measureCase(producer, {
      name: "metrics.limit=20000",
      seconds,
      annotations: ["metrics.limit=20000"],
    }),
    await measureCase(producer, {
      name: `metrics.ttl of two minutes, metrics.limit=${TTL_LIMIT}`,
      seconds,
      annotations: [`metrics.ttl=${ttl}`, `metrics.limit=${TTL_LIMIT}`],
    }),
  ];
}

async function measureCase(
  producer: Producer,
  { name, seconds, annotations }: { name: string; seconds: number; annotations: string[] },
): Promise<ChurnResult> {
  const flags = annotations.flatMap((annotation) => ["--annotate", `events:${annotation}`]);
  await using kmeter = await Kmeter.start(await fixtureFolder("filler"), [
    ...["-o", "none"],
    ...flags,
  ]);
  const production = producer.fill(kmeter.pid, { seconds, rate: KEYS / seconds, keys: 0 });
  const resident: number[] = [];
  const intervalMs = seconds * 1000 / STEPS;
  // Apart from the scrapes, which may take longer than a step.
  const timer = setInterval(() => resident.push(residentBytes(kmeter.pid)), intervalMs);
  try {
    await kmeter.scrapeUntil(production, { intervalMs, onScrape: () => {} });
  } finally {
    clearInterval(timer);
  }
  const { produced } = await production;
  const page = await kmeter.page();
  await kmeter.stop();
  return {
    name,
    keys: produced,
    series: sumOf(page, "kmeter_series"),
    overflowed: sumOf(page, "kmeter_series_overflow_total"),
    residentBytes: resident,
  };
}

/** Growth of the memory over the last two thirds of the time, as a part of what it was before. */
export function churnGrowth({ residentBytes }: ChurnResult): number {
  const third = Math.floor(residentBytes.length / 3);
  const peak = (from: number, to: number) => Math.max(...residentBytes.slice(from, to));
  return peak(2 * third, residentBytes.length) / peak(third, 2 * third) - 1;
}

/** The results as a table. */
export function churnTable(results: readonly ChurnResult[]): Table {
  return {
    title: "An hour of key churn, simulated",
    columns: [
      "bounded by",
      "keys",
      "series left",
      "keys without room",
      "RSS at 1/3",
      "RSS at 2/3",
      "RSS at the end",
      "growth",
    ],
    rows: results.map((result) => {
      const { residentBytes: resident, name } = result;
      const at = (part: number) => formatBytes(resident[Math.ceil(part * resident.length) - 1]);
      return [
        name,
        formatCount(result.keys),
        formatCount(result.series),
        formatCount(result.overflowed),
        at(1 / 3),
        at(2 / 3),
        at(1),
        formatPercent(churnGrowth(result)),
      ];
    }),
    note:
      "Growth: the highest resident memory of the last third of the time against that of the third before it.",
  };
}

if (import.meta.main) {
  printTables([churnTable(await measureChurn({ seconds: secondsOption(30) }))]);
}
