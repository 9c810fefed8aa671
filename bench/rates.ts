/**
 * What kmeter costs at a given rate of events: CPU time and wake-ups of the whole process, events
 * lost, and how long an event takes to its row. Beside it, the same of a C program that does the least.
 *
 * Usage: deno task bench:rates [--seconds N]
 */

import { readBootTimeNs } from "../ffi/mod.ts";
import { CProgram } from "./_c_program.ts";
import { Child, sleep } from "./_child.ts";
import { buildBuiltins, fixtureFolder, Kmeter } from "./_kmeter.ts";
import { formatCount, formatPercent, formatTime, median, quantile } from "./numbers.ts";
import { type Produced, Producer } from "./_producer.ts";
import { cpuTimeNs, switchesBetween, voluntarySwitches } from "./_process_usage.ts";
import { secondsOption } from "./_seconds_option.ts";
import { printTables, type Table } from "./table.ts";

/** Costs at one rate. */
export interface RateResult {
  readonly name: string;
  /** Events a second that were tried, those lost included. */
  readonly eventsPerSecond: number;
  /** Part of one core: user and system time of all threads. */
  readonly cpu: number;
  /** Times that a thread fell asleep, and so was woken. */
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

/** All that is measured here. */
export interface RatesResult {
  readonly rates: readonly RateResult[];
  /** The C program, at the rates of the fixture's events. */
  readonly peer: readonly RateResult[];
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

/** Measures each rate for `seconds`. Takes about 20 times as long, and needs root. */
export async function measureRates({ seconds }: { seconds: number }): Promise<RatesResult> {
  using producer = await Producer.compile();
  const rates = await measureFiller(producer, seconds);
  const peer = await measurePeer(producer, seconds);
  await buildBuiltins();
  rates.push(await measureOpens(producer, seconds));
  const latencies: LatencyResult[] = [];
  for (const rate of LATENCY_RATES) {
    latencies.push(await measureLatency(producer, { rate, seconds }));
  }
  return { rates, peer, latencies };
}

/** Events of 40 bytes with 1000 keys, through all levels in one process. */
async function measureFiller(producer: Producer, seconds: number): Promise<RateResult[]> {
  await using kmeter = await Kmeter.start(await fixtureFolder("filler"), ["-o", "none"]);
  const results = await measureLevels(producer, {
    pid: kmeter.pid,
    seconds,
    countOf: (measure) => countedBy(kmeter, measure),
  });
  await kmeter.stop();
  return results;
}

/** The same events, taken by the C program. */
async function measurePeer(producer: Producer, seconds: number): Promise<RateResult[]> {
  using program = await CProgram.compile("consumer");
  await using child = new Child([program.path, `${await fixtureFolder("filler")}/program.bpf.o`]);
  await child.waitForLine("stdout", /ready/);
  const results = await measureLevels(producer, {
    pid: child.pid,
    seconds,
    countOf: async (measure) => {
      const usage = await measure();
      return { usage, received: usage.made.produced, lost: usage.made.failed };
    },
  });
  await child.stop();
  return results;
}

/** A storm of real system calls: each sends an event of 368 bytes with the path of a file. */
async function measureOpens(producer: Producer, seconds: number): Promise<RateResult> {
  await using kmeter = await Kmeter.start("trace_open", ["-o", "none", "--comm", "producer"]);
  const counts = await countedBy(kmeter, () =>
    measureUsage(kmeter.pid, {
      seconds,
      produce: (total) => producer.open({ seconds: total, threads: STORM_THREADS }),
    }));
  await kmeter.stop();
  return rateResult("openat storm, trace_open", counts);
}

/** What a process used while events were made. */
interface Usage {
  readonly cpu: number;
  readonly wakeupsPerSecond: number;
  readonly made: Produced;
}

/** The usage, and what became of the events. */
interface Counts {
  readonly usage: Usage;
  readonly received: number;
  readonly lost: number;
}

interface Levels {
  readonly pid: number;
  readonly seconds: number;
  /** Calls `measure` and counts what came of it. */
  readonly countOf: (measure: () => Promise<Usage>) => Promise<Counts>;
}

async function measureLevels(
  producer: Producer,
  { pid, seconds, countOf }: Levels,
): Promise<RateResult[]> {
  // As fast as it can for a while, so that the loop is compiled before the first level.
  await producer.fill(pid, { seconds: WARM_UP_SECONDS });
  const results: RateResult[] = [];
  for (const { name, rate } of LEVELS) {
    const produce = async (total: number): Promise<Produced> => {
      if (rate !== 0) return await producer.fill(pid, { seconds: total, rate });
      await sleep(total * 1000);
      return { produced: 0, failed: 0, seconds: total };
    };
    results.push(rateResult(name, await countOf(() => measureUsage(pid, { seconds, produce }))));
  }
  return results;
}

/** Counts by kmeter's own metrics. */
async function countedBy(kmeter: Kmeter, measure: () => Promise<Usage>): Promise<Counts> {
  const before = await kmeter.totals();
  const usage = await measure();
  const after = await kmeter.totalsAfter(before, usage.made.produced + usage.made.failed);
  return { usage, received: after.received - before.received, lost: after.lost - before.lost };
}

/** Watches a process for `seconds` in the middle of a production. */
async function measureUsage(
  pid: number,
  { seconds, produce }: { seconds: number; produce: (seconds: number) => Promise<Produced> },
): Promise<Usage> {
  // What came before, a scrape or another rate, must have calmed down.
  await sleep(WARM_UP_SECONDS * 1000);
  const production = produce(seconds + 2 * WARM_UP_SECONDS);
  await sleep(WARM_UP_SECONDS * 1000);
  const [startMs, startNs, startSwitches] = [
    performance.now(),
    cpuTimeNs(pid),
    voluntarySwitches(pid),
  ];
  await sleep(seconds * 1000);
  const cpuNs = cpuTimeNs(pid) - startNs;
  const wakeups = switchesBetween(startSwitches, voluntarySwitches(pid));
  const timeMs = performance.now() - startMs;
  return {
    cpu: cpuNs / 1e6 / timeMs,
    wakeupsPerSecond: wakeups * 1000 / timeMs,
    made: await production,
  };
}

function rateResult(name: string, { usage, received, lost }: Counts): RateResult {
  const { made, cpu, wakeupsPerSecond } = usage;
  const eventsPerSecond = (made.produced + made.failed) / made.seconds;
  return { name, eventsPerSecond, cpu, wakeupsPerSecond, received, lost };
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
export function ratesTables({ rates, peer, latencies }: RatesResult): Table[] {
  return [{
    title: "Events a second",
    columns: [
      ...["rate", "events/s", "CPU of one core", "CPU an event", "wake-ups/s", "lost"],
      ...["C: events/s", "C: CPU of one core", "C: wake-ups/s", "C: lost"],
    ],
    rows: rates.map((result) => {
      const other = peer.find(({ name }) => name === result.name);
      return [
        result.name,
        formatCount(result.eventsPerSecond),
        formatPercent(result.cpu),
        result.eventsPerSecond === 0 ? "" : formatTime(result.cpu * 1e9 / result.eventsPerSecond),
        formatCount(result.wakeupsPerSecond),
        formatCount(result.lost),
        ...(other === undefined ? ["", "", "", ""] : [
          formatCount(other.eventsPerSecond),
          formatPercent(other.cpu),
          formatCount(other.wakeupsPerSecond),
          formatCount(other.lost),
        ]),
      ];
    }),
    note: "CPU: user and system time of all threads. Wake-ups: times that a thread fell asleep. " +
      "The producer is a process of its own on the last CPU; rates are made in bursts, one each ms. " +
      "C: a process that sleeps in `ring_buffer__poll()` and adds to an array.",
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
