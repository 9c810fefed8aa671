/**
 * dist/kmeter beside the same program run from its sources, and beside Deno with an empty program: time to
 * start, time to the first scrape, memory of a process that has been scraped, size of the file.
 *
 * Usage: deno task compile && deno task bench:packed
 */

import { CHECKOUT, sourceCommand } from "../tests/e2e/kmeter_command.ts";
import { Child, runToEnd, sleep } from "./_child.ts";
import { buildBuiltins, METRICS_AT } from "./_kmeter.ts";
import { formatBytes, formatNumber, formatTime, median } from "./numbers.ts";
import { residentBytes } from "./_process_usage.ts";
import { printTables, type Table } from "./table.ts";

/** Medians of one way to run kmeter. */
interface PackedResult {
  readonly name: string;
  readonly versionNs: number;
  /** From the start of the process until the first page is read. */
  readonly firstScrapeNs: number;
  readonly residentBytes: readonly number[];
}

const PROGRAM = `${CHECKOUT}/dist/kmeter`;
const STARTS = 20;
const RUNS = 7;
const SCRAPES = 10;
const SCRAPE_PAUSE_MS = 100;

/** Runs everything in turns, so that a busy moment of the machine hits all alike. Needs root. */
async function measure(): Promise<Table[]> {
  await buildBuiltins();
  const empty = Deno.makeTempFileSync({ suffix: ".js" });
  const commands = [["sources", sourceCommand("run")], ["dist/kmeter", [PROGRAM]]] as const;
  try {
    const emptyNs: number[] = [];
    const versionNs = commands.map((): number[] => []);
    for (let round = 0; round < STARTS; round++) {
      emptyNs.push(await timeOf([Deno.execPath(), "run", empty]));
      for (const [index, [, command]] of commands.entries()) {
        versionNs[index].push(await timeOf([...command, "version"]));
      }
    }
    const runs = commands.map((): { firstScrapeNs: number; residentBytes: number }[] => []);
    for (let round = 0; round < RUNS; round++) {
      for (const [index, [, command]] of commands.entries()) runs[index].push(await run(command));
    }
    const results = commands.map(([name], index): PackedResult => ({
      name,
      versionNs: median(versionNs[index]),
      firstScrapeNs: median(runs[index].map(({ firstScrapeNs }) => firstScrapeNs)),
      residentBytes: runs[index].map(({ residentBytes }) => residentBytes).sort((a, b) => a - b),
    }));
    return [startTable(results, median(emptyNs)), await sizeTable()];
  } finally {
    Deno.removeSync(empty);
  }
}

async function timeOf(command: readonly string[]): Promise<number> {
  const startMs = performance.now();
  await runToEnd(command);
  return (performance.now() - startMs) * 1e6;
}

async function run(
  command: readonly string[],
): Promise<{ firstScrapeNs: number; residentBytes: number }> {
  const startMs = performance.now();
  await using child = new Child([
    ...[...command, "run", "trace_exec", "-o", "none", "--listen=127.0.0.1:0"],
  ]);
  const [, url] = await child.waitForLine("stderr", METRICS_AT);
  await (await fetch(url)).text();
  const firstScrapeNs = (performance.now() - startMs) * 1e6;
  for (let scrape = 1; scrape < SCRAPES; scrape++) {
    await sleep(SCRAPE_PAUSE_MS);
    await (await fetch(url)).text();
  }
  const bytes = residentBytes(child.pid);
  await child.stop();
  return { firstScrapeNs, residentBytes: bytes };
}

function startTable(results: readonly PackedResult[], emptyNs: number): Table {
  return {
    title: "Start and memory",
    columns: ["", "version", "of Deno's empty", "first scrape", "resident", "least", "most"],
    rows: results.map(({ name, versionNs, firstScrapeNs, residentBytes }) => [
      name,
      formatTime(versionNs),
      formatNumber(versionNs / emptyNs),
      formatTime(firstScrapeNs),
      formatBytes(median(residentBytes)),
      formatBytes(residentBytes[0]),
      formatBytes(residentBytes[residentBytes.length - 1]),
    ]),
    note:
      `Medians of ${STARTS} starts and ${RUNS} runs of trace_exec with ${SCRAPES} scrapes each. ` +
      `Deno with an empty program takes ${formatTime(emptyNs)}.`,
  };
}

async function sizeTable(): Promise<Table> {
  const { size } = await Deno.stat(PROGRAM);
  const packed = await runToEnd(["sh", "-c", 'zstd -q -19 -c "$0" | wc -c', PROGRAM]);
  return {
    title: "Size",
    columns: ["", "bytes", "of it"],
    rows: [
      ["dist/kmeter", String(size), "100 %"],
      ["zstd -19", packed, `${formatNumber((Number(packed) / size) * 100)} %`],
    ],
  };
}

if (import.meta.main) printTables(await measure());
