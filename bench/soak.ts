/**
 * All events that one CPU can make, with 100,000 keys, while the metrics are scraped every second:
 * nothing may be lost, and what the page counts must be what was received.
 *
 * Usage: deno task bench:soak [--seconds N]
 */

import { fixtureFolder, Kmeter, type Scrape, sumOf } from "./_kmeter.ts";
import {
  formatBytes,
  formatCount,
  formatPercent,
  formatTime,
  formatWhole,
  median,
  quantile,
} from "./numbers.ts";
import { Producer } from "./_producer.ts";
import { cpuTimeNs, peakResidentBytes } from "./_process_usage.ts";
import { secondsOption } from "./_seconds_option.ts";
import { printTables, type Table } from "./table.ts";

/** How a soak went. */
export interface SoakResult {
  readonly seconds: number;
  readonly keys: number;
  /** Events that reached the ring, and those for which it had no room, as the producer counts them. */
  readonly produced: number;
  readonly failed: number;
  /** The same as kmeter counts them. */
  readonly received: number;
  readonly lost: number;
  /** Sum of the counters of all series. */
  readonly counted: number;
  readonly scrapes: readonly Scrape[];
  /** Part of one core. */
  readonly cpu: number;
  readonly peakResidentBytes: number;
}

const COUNTER = "filler_events_total";
const KEYS = 100_000;
const SCRAPE_INTERVAL_MS = 1000;
const WARM_UP_SECONDS = 2;

/** Runs for `seconds`. Needs root. */
export async function measureSoak({ seconds }: { seconds: number }): Promise<SoakResult> {
  using producer = await Producer.compile();
  await using kmeter = await Kmeter.start(await fixtureFolder("filler"), [
    ...["-o", "none", "--annotate", `events:metrics.limit=${2 * KEYS}`],
    ...["--annotate", "events:metrics.implicit-counter.name=filler_events"],
  ]);
  // What is lost while the loop is not compiled yet is no steady state.
  await producer.fill(kmeter.pid, { seconds: WARM_UP_SECONDS, keys: KEYS });
  await kmeter.scrape();
  const warmUp = await kmeter.page();
  const before = await kmeter.totals();
  const cpuBefore = cpuTimeNs(kmeter.pid);
  const startMs = performance.now();
  const production = producer.fill(kmeter.pid, { seconds, keys: KEYS });
  const scrapes: Scrape[] = [];
  await kmeter.scrapeUntil(production, {
    intervalMs: SCRAPE_INTERVAL_MS,
    onScrape: (scrape) => scrapes.push(scrape),
  });
  const made = await production;
  const after = await kmeter.totalsAfter(before, made.produced + made.failed);
  const cpuNs = cpuTimeNs(kmeter.pid) - cpuBefore;
  const page = await kmeter.page();
  const result = {
    seconds: made.seconds,
    keys: KEYS,
    produced: made.produced,
    failed: made.failed,
    received: after.received - before.received,
    lost: after.lost - before.lost,
    counted: sumOf(page, COUNTER) - sumOf(warmUp, COUNTER),
    scrapes,
    cpu: cpuNs / 1e6 / (performance.now() - startMs),
    peakResidentBytes: peakResidentBytes(kmeter.pid),
  };
  await kmeter.stop();
  return result;
}

/** The result as a table. */
export function soakTable(result: SoakResult): Table {
  const times = result.scrapes.map(({ seconds }) => seconds * 1e9);
  const lastPage = result.scrapes[result.scrapes.length - 1];
  const row = (name: string, value: string) => [name, value];
  return {
    title: `${Math.round(result.seconds)} s at full rate, scraped every second`,
    columns: ["what", "value"],
    rows: [
      row("keys", formatWhole(result.keys)),
      row("events that reached the ring", formatWhole(result.produced)),
      row("events without room in the ring", formatWhole(result.failed)),
      row("events received", formatWhole(result.received)),
      row("events lost, as kmeter says", formatWhole(result.lost)),
      row("sum of the counters of all series", formatWhole(result.counted)),
      row("events a second", formatCount((result.produced + result.failed) / result.seconds)),
      row("CPU of one core", formatPercent(result.cpu)),
      row("scrapes", formatWhole(times.length)),
      row("scrape, median", formatTime(median(times))),
      row("scrape, p99", formatTime(quantile(times, 0.99))),
      row("page", formatBytes(lastPage.bytes)),
      row("most resident memory", formatBytes(result.peakResidentBytes)),
    ],
  };
}

if (import.meta.main) printTables([soakTable(await measureSoak({ seconds: secondsOption(60) }))]);
