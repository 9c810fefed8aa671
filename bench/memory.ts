/**
 * Resident memory by number of series, before and after a scrape, and what a series costs beyond
 * twice the text of its labels.
 *
 * Usage: deno task bench:memory
 */

import { sleep } from "./_child.ts";
import { fixtureFolder, Kmeter, type Scrape } from "./_kmeter.ts";
import { formatBytes, formatCount, formatTime } from "./numbers.ts";
import { Producer } from "./_producer.ts";
import { residentBytes } from "./_process_usage.ts";
import { printTables, type Table } from "./table.ts";

/** Memory and scrapes with some number of series. */
export interface MemoryResult {
  readonly series: number;
  /** Before the first scrape of the series. */
  readonly countedBytes: number;
  /** After two scrapes. */
  readonly scrapedBytes: number;
  /** Text of the labels of all series. */
  readonly labelBytes: number;
  readonly firstScrape: Scrape;
  readonly nextScrape: Scrape;
  /** Longest time that another request waited during one of the scrapes. */
  readonly longestWaitMs: number;
}

/** The first is what the others are compared with: all that does not come from series. */
const SERIES = [1, 10_000, 1_000_000];
/** Each key comes up at least twice, and every case counts as many events. */
const RATE = 500_000;
const SECONDS = 5;
const HEALTH_PAUSE_MS = 2;

/** Runs a process for each number of series. Needs root. */
export async function measureMemory(): Promise<MemoryResult[]> {
  using producer = await Producer.compile();
  const results: MemoryResult[] = [];
  for (const series of SERIES) results.push(await measureCase(producer, series));
  return results;
}

async function measureCase(producer: Producer, series: number): Promise<MemoryResult> {
  await using kmeter = await Kmeter.start(await fixtureFolder("filler"), [
    ...["-o", "none", "--annotate", `events:metrics.limit=${2 * series}`],
  ]);
  const before = await kmeter.totals();
  const { produced, failed } = await producer.fill(kmeter.pid, {
    seconds: SECONDS,
    rate: RATE,
    keys: series,
  });
  const countedBytes = residentBytes(kmeter.pid);
  const scrapes = async () => ({
    firstScrape: await kmeter.scrape(),
    nextScrape: await kmeter.scrape(),
    scrapedBytes: residentBytes(kmeter.pid),
  });
  const scraped = scrapes();
  const longestWaitMs = await longestWait(kmeter, scraped);
  const totals = await kmeter.totalsAfter(before, produced + failed);
  if (totals.series !== series) throw new Error(`${totals.series} series, wanted ${series}`);
  await kmeter.stop();
  return {
    series,
    countedBytes,
    labelBytes: labelBytes(series),
    longestWaitMs,
    ...await scraped,
  };
}

/**
 * Asks for the health page over and over until `end` settles: it is answered at once unless the main
 * thread does something else. @returns the longest time until the answer; an upper bound, since
 * kmeter, curl and this process share the CPUs.
 */
async function longestWait(kmeter: Kmeter, end: Promise<unknown>): Promise<number> {
  const url = new URL("/healthz", kmeter.url);
  let isOver = false;
  const setOver = () => {
    isOver = true;
  };
  end.then(setOver, setOver);
  let longestMs = 0;
  while (!isOver) {
    const startMs = performance.now();
    await (await fetch(url)).text();
    longestMs = Math.max(longestMs, performance.now() - startMs);
    await sleep(HEALTH_PAUSE_MS);
  }
  return longestMs;
}

/** Length of the labels that the fixture's first keys have: `comm="filler--aaaa",pid="1000"`. */
function labelBytes(series: number): number {
  let bytes = 0;
  for (let key = 0; key < series; key++) {
    bytes += 'comm="filler--aaaa",pid=""'.length + String(1000 + key).length;
  }
  return bytes;
}

/** Bytes of a series beyond twice the text of its labels, after a scrape. */
export function bytesPerSeries(results: readonly MemoryResult[], series: number): number {
  const none = results[0];
  const result = results.find((candidate) => candidate.series === series);
  if (result === undefined) throw new Error(`no result for ${series} series`);
  return (result.scrapedBytes - none.scrapedBytes - 2 * result.labelBytes) / result.series;
}

/** The results as a table. */
export function memoryTable(results: readonly MemoryResult[]): Table {
  return {
    title: "Memory by number of series",
    columns: [
      ...["series", "RSS", "RSS after scrapes", "a series, beyond 2 × labels"],
      ...["page", "first scrape", "next scrape", "longest wait"],
    ],
    rows: results.map((result) => [
      formatCount(result.series),
      formatBytes(result.countedBytes),
      formatBytes(result.scrapedBytes),
      result === results[0] ? "" : `${Math.round(bytesPerSeries(results, result.series))} B`,
      formatBytes(result.nextScrape.bytes),
      formatTime(result.firstScrape.seconds * 1e9),
      formatTime(result.nextScrape.seconds * 1e9),
      formatTime(result.longestWaitMs * 1e6),
    ]),
    note:
      "Labels `comm` and `pid`, one counter. Scrapes by curl over loopback, output thrown away. " +
      "Longest wait: of a request for `/healthz` during the scrapes, the first one included.",
  };
}

if (import.meta.main) printTables([memoryTable(await measureMemory())]);
