/** Scrapes: pages against prom-client and Python on the same series, and over HTTP. */
// deno-lint-ignore-file no-console -- what is no time is told on stderr, where no JSON goes

import { Counter, Registry } from "prom-client";
import { Exposition, type ExpositionFormat } from "../src/export/mod.ts";
import type { MetricSet } from "../src/metrics/mod.ts";
import { LineChild } from "./_line_child.ts";
import { counterSet, counterValue, LABELS, labelsOf, slotSet } from "./_scrape_sets.ts";
import type { ServerReport } from "./_scrape_server.ts";

const SERIES = 100_000;
const SLOTS = 26;
/** Buckets, +Inf, sum and count. */
const SLOT_LINES = SLOTS + 3;
const SLOT_SERIES = Math.ceil(SERIES / SLOT_LINES);

const GROUP = { group: "scrape" } as const;
/** The slow ones are not run more often than their times need. */
const FEW = { n: 10, warmup: 2 } as const;

function expositionOf(set: MetricSet): Exposition {
  const exposition = new Exposition();
  exposition.add(set);
  return exposition;
}

function promClientRegistry(): Registry {
  const registry = new Registry();
  const counter = new Counter({
    name: "requests_total",
    help: "Requests.",
    labelNames: LABELS,
    registers: [registry],
  });
  for (let series = 0; series < SERIES; series++) {
    const [pid, comm, cgroup] = labelsOf(series);
    counter.inc({ pid, comm, cgroup }, counterValue(series));
  }
  return registry;
}

function drain(exposition: Exposition, format: ExpositionFormat): number {
  let bytes = 0;
  for (const chunk of exposition.render(format)) bytes += chunk.length;
  return bytes;
}

function lineCount(exposition: Exposition): number {
  let lines = 0;
  for (const chunk of exposition.render("text")) for (const byte of chunk) if (byte === 10) lines++;
  return lines;
}

function requireLines(what: string, lines: number, wanted: number): void {
  if (lines !== wanted) throw new Error(`BUG: ${what} printed ${lines} lines instead of ${wanted}`);
}

/** Heap that one page leaves behind, if it was not just collected: the median of several. */
function garbageBytes(exposition: Exposition): number {
  const grown = Array.from({ length: 21 }, () => {
    const before = Deno.memoryUsage().heapUsed;
    drain(exposition, "text");
    return Deno.memoryUsage().heapUsed - before;
  });
  return Math.max(0, grown.sort((a, b) => a - b)[10]);
}

/** Scrapes with curl, and throws the page away. */
async function curl(url: string, encoding: "identity" | "gzip"): Promise<number> {
  const { success, stdout } = await new Deno.Command("curl", {
    args: ["-sf", "-o", "/dev/null", "-w", "%{size_download}"]
      .concat(["-H", `accept-encoding: ${encoding}`, url]),
    stderr: "null",
  }).output();
  if (!success) throw new Error(`curl ${url} failed`);
  return Number(new TextDecoder().decode(stdout));
}

/** Starts a server, says what its first scrapes do to it, and adds the benches. */
async function benchHttp(name: string, seriesCount: number): Promise<LineChild> {
  const program = new URL("./_scrape_server.ts", import.meta.url).pathname;
  const args = ["run", "--allow-all", "--quiet", program, String(seriesCount)];
  const server = new LineChild(Deno.execPath(), args);
  const url = `http://127.0.0.1:${await server.readLine()}/metrics`;
  const report = async (): Promise<ServerReport> => JSON.parse(await server.ask("report"));
  await report();
  for (const [what, encoding] of [["first", "identity"], ["next", "identity"], ["gzip", "gzip"]]) {
    const bytes = await curl(url, encoding as "identity" | "gzip");
    const { longestStretchMs, residentMb } = await report();
    console.error(
      `${name}, ${what} scrape: ${(bytes / 1e6).toFixed(1)} MB; main thread busy for ` +
        `${longestStretchMs.toFixed(1)} ms at a stretch; ${residentMb.toFixed(0)} MB resident`,
    );
  }
  for (const encoding of ["identity", "gzip"] as const) {
    Deno.bench(`kmeter, HTTP, ${name}, ${encoding}`, { ...GROUP, ...FEW }, async () => {
      await curl(url, encoding);
    });
  }
  return server;
}

const counters = expositionOf(counterSet(SERIES));
const ones = expositionOf(slotSet(SLOT_SERIES, SLOTS, () => 1));
const billions = expositionOf(slotSet(SLOT_SERIES, SLOTS, (slot) => slot === SLOTS ? 1e9 : 0));
const registry = promClientRegistry();
const python = new LineChild(
  // The distribution's module is seen by the distribution's interpreter only.
  "/usr/bin/python3",
  [new URL("./peers/generate_latest.py", import.meta.url).pathname, String(SERIES)],
  { PROMETHEUS_DISABLE_CREATED_SERIES: "True" },
);
await python.readLine();

// All sides print each series, or the comparison means nothing.
requireLines("kmeter", lineCount(counters), SERIES + 2);
requireLines("kmeter", lineCount(ones), SLOT_SERIES * SLOT_LINES + 2);
requireLines("prom-client", (await registry.metrics()).trimEnd().split("\n").length, SERIES + 2);
requireLines("Python", Number(await python.ask("render")), SERIES + 2);
console.error(
  `100k counters: ${(drain(counters, "text") / SERIES).toFixed(0)} bytes a line, ` +
    `${(garbageBytes(counters) / SERIES).toFixed(2)} bytes of garbage a line, ` +
    `${(counters.labelBytes / SERIES).toFixed(0)} bytes of ready labels a series`,
);
for (const [what, exposition] of [["100k counters", counters], ["histograms", ones]] as const) {
  const [protobuf, text] = [drain(exposition, "protobuf"), drain(exposition, "text")];
  console.error(
    `${what}: ${(protobuf / 1e6).toFixed(1)} MB as protobuf, ` +
      `${(protobuf / text * 100).toFixed(0)} % of the text`,
  );
}

Deno.bench("kmeter, 100k counters, text", GROUP, () => {
  drain(counters, "text");
});
Deno.bench("kmeter, 100k counters, openmetrics", GROUP, () => {
  drain(counters, "openmetrics");
});
Deno.bench("kmeter, 100k counters, protobuf", GROUP, () => {
  drain(counters, "protobuf");
});
Deno.bench("kmeter, 100k lines of slot histograms, 1 in each slot, as protobuf", GROUP, () => {
  drain(ones, "protobuf");
});
Deno.bench("kmeter, 100k lines of slot histograms, 1 in each slot", GROUP, () => {
  drain(ones, "text");
});
Deno.bench("kmeter, 100k lines of slot histograms, 10^9 in a slot", GROUP, () => {
  drain(billions, "text");
});
Deno.bench("prom-client, 100k counters, text", { ...GROUP, ...FEW, baseline: true }, async () => {
  await registry.metrics();
});
Deno.bench("Python generate_latest, 100k counters, text", { ...GROUP, ...FEW }, async () => {
  await python.ask("render");
});
const children = [
  python,
  await benchHttp("100k counters", SERIES),
  await benchHttp("1M counters", 1_000_000),
];
globalThis.addEventListener("unload", () => {
  for (const child of children) child.end();
});
