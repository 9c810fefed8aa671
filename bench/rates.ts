/**
 * What kmeter costs at a given rate of events: CPU time and wake-ups of the whole process, events
 * lost, and how long an event takes to its row.
 *
 * Usage: deno task bench:rates [--seconds N]
 */

import { readBootTimeNs } from "../ffi/mod.ts";
import { sleep } from "./_child.ts";
import { buildBuiltins, fixtureFolder, Kmeter } from "./_kmeter.ts";
import { formatCount, formatPercent, formatTime, median, quantile } from "./_numbers.ts";
import { Producer } from "./_producer.ts";
import { cpuTimeNs, switchesBetween, voluntarySwitches } from "./_process_usage.ts";
import { secondsOption } from "./_seconds_option.ts";
import { printTables, type Table } from "./_table.ts";

/** Costs at one rate. */
export interface RateResult {
  readonly name: string;
  /** Events a second that were tried, those lost included. */
  readonly eventsPerSecond: number;
  /** Part of one core. */
  readonly cpu: number;
  readonly wakeupsPerSecond: number;
  readonly received: number;
  readonly lost: number;
}

/** Time from an event to its row at one rate. */
export interface LatencyResult {
  readonly eventsPerSecond: number;
  readonly rows: number;
  readonly medianNs: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

export interface RatesResult {
  readonly rates: readonly RateResult[];
  readonly latencies: readonly LatencyResult[];
}

/** Events a second; "max" is as many as one CPU can make. */
const LEVELS = [
  { name: "0", rate: 0 },
  { name: "10", rate: 10 },
  { name: "1k", rate: 1000 },
  { name: "100k", rate: 100_000 },
  { name: "1M", rate: 1_000_000 },
  { name: "max", rate: undefined },
];
/** From an event that wakes an idle process to many a second. */
const LATENCY_RATES = [2, 10, 100, 1000];
const STORM_THREADS = 1;
/** Not measured at the start of a level: what is compiled or allotted first. */
const WARM_UP_SECONDS = 1;

/** Measures each rate for `seconds`. Takes about 14 times as long, and needs root. */
export async function measureRates({ seconds }: { seconds: number }): Promise<RatesResult> {
  using producer = await Producer.compile();
  const rates = await measureFiller(producer, seconds);
  await buildBuiltins();
  rates.push(await measureOpens(producer, seconds));
  const latencies: LatencyResult[] = [];
  for (const rate of LATENCY_RATES) {
    latencies.push(await measureLatency(producer, { rate, seconds }));
  }
  return { rates, latencies };
}

/** Events of 40 bytes with 1000 keys, through all levels in one process. */
async function measureFiller(producer: Producer, seconds: number): Promise<RateResult[]> {
  await using kmeter = await Kmeter.start(await fixtureFolder("filler"), ["-o", "none"]);
  // Counts for a while as fast as it can, so that the loop is compiled before the first level.
  await producer.fill(kmeter.pid, { seconds: WARM_UP_SECONDS });
  const results: RateResult[] = [];
  for (const { name, rate } of LEVELS) {
    results.push(
      await measureLevel(kmeter, {
        name,
        seconds,
        produce: async (total) =>
          rate === 0
            ? { produced: 0, failed: 0, seconds: total }
            : await producer.fill(kmeter.pid, { seconds: total, rate }),
      }),
    );
  }
  await kmeter.stop();
  return results;
}

/** A storm of real system calls: each sends an event of 368 bytes with the path of a file. */
async function measureOpens(producer: Producer, seconds: number): Promise<RateResult> {
  await using kmeter = await Kmeter.start("trace_open", ["-o", "none", "--comm", "producer"]);
  const result = await measureLevel(kmeter, {
    name: "openat storm, trace_open",
    seconds,
    produce: async (total) => await producer.open({ seconds: total, threads: STORM_THREADS }),
  });
  await kmeter.stop();
  return result;
}

interface Level {
  readonly name: string;
  readonly seconds: number;
  readonly produce: (
    seconds: number,
  ) => Promise<{ produced: number; failed: number; seconds: number }>;
}

async function measureLevel(kmeter: Kmeter, level: Level): Promise<RateResult> {
  const totalsBefore = await kmeter.totals();
  // What the scrape left to do must not be measured.
  await sleep(WARM_UP_SECONDS * 1000);
  const production = level.produce(level.seconds + 2 * WARM_UP_SECONDS);
  await sleep(WARM_UP_SECONDS * 1000);
  const start = { cpuNs: cpuTimeNs(kmeter.pid), switches: voluntarySwitches(kmeter.pid) };
  const startMs = performance.now();
  await sleep(level.seconds * 1000);
  const cpuNs = cpuTimeNs(kmeter.pid) - start.cpuNs;
  const wakeups = switchesBetween(start.switches, voluntarySwitches(kmeter.pid));
  const windowSeconds = (performance.now() - startMs) / 1000;
  const made = await production;
  const events = made.produced + made.failed;
  const totals = await kmeter.totalsAfter(totalsBefore, events);
  return {
    name: level.name,
    eventsPerSecond: events / made.seconds,
    cpu: cpuNs / 1e9 / windowSeconds,
    wakeupsPerSecond: wakeups / windowSeconds,
    received: totals.received - totalsBefore.received,
    lost: totals.lost - totalsBefore.lost,
  };
}

/** Reads rows from a pipe and compares the time in them, taken in the kernel, with the clock. */
async function measureLatency(
  producer: Producer,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<LatencyResult> {
  const latencies: number[] = [];
  const args = ["-o", "json", "--fields", "timestamp_raw", "--comm", "producer"];
  await using kmeter = await Kmeter.start("trace_open", args, (stream, line) => {
    const match = stream === "stdout" ? /"timestamp_raw":\s*"?(\d+)/.exec(line) : null;
    if (match !== null) latencies.push(Number(readBootTimeNs() - BigInt(match[1])));
  });
  // Code that runs for the first time is slow; those rows are not counted.
  await producer.open({ rate: 200, seconds: WARM_UP_SECONDS, threads: 1 });
  await sleep(WARM_UP_SECONDS * 1000);
  latencies.length = 0;
  await producer.open({ rate, seconds, threads: 1 });
  await kmeter.stop();
  return {
    eventsPerSecond: rate,
    rows: latencies.length,
    medianNs: median(latencies),
    p99Ns: quantile(latencies, 0.99),
    maxNs: Math.max(...latencies),
  };
}

/** The results as tables. */
export function ratesTables({ rates, latencies }: RatesResult): Table[] {
  const idle = rates[0].cpu;
  return [{
    title: "Events a second",
    columns: [
      "rate",
      "events/s",
      "CPU of one core",
      "over idle",
      "wake-ups/s",
      "lost",
      "CPU an event",
    ],
    rows: rates.map((result) => [
      result.name,
      formatCount(result.eventsPerSecond),
      formatPercent(result.cpu),
      formatPercent(Math.max(0, result.cpu - idle)),
      formatCount(result.wakeupsPerSecond),
      formatCount(result.lost),
      result.eventsPerSecond === 0 ? "" : formatTime(result.cpu * 1e9 / result.eventsPerSecond),
    ]),
    note: "CPU: user and system time of all threads. Wake-ups: times that a thread fell asleep. " +
      "The producer is a process of its own on the last CPU; rates are made in bursts, one each ms.",
  }, {
    title: "From an event to its row on a pipe",
    columns: ["events/s", "rows", "median", "p99", "longest"],
    rows: latencies.map((result) => [
      formatCount(result.eventsPerSecond),
      formatCount(result.rows),
      formatTime(result.medianNs),
      formatTime(result.p99Ns),
      formatTime(result.maxNs),
    ]),
    note:
      "`trace_open -o json`: from the time stamp in the kernel to the line in the reading process.",
  }];
}

if (import.meta.main) printTables(ratesTables(await measureRates({ seconds: secondsOption(10) })));
