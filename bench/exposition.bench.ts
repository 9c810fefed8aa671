/** A scrape of 100,000 counters with three labels, against prom-client on the same series. */

import { Counter, Registry } from "prom-client";
import { Exposition } from "../src/export/mod.ts";
import type { MetricSet } from "../src/metrics/mod.ts";

const SERIES = 100_000;
const LABELS = ["pid", "comm", "cgroup"];

function labelsOf(series: number): string[] {
  return [
    String(1000 + series),
    `worker-${series % 97}`,
    `/system.slice/unit-${series % 31}.service`,
  ];
}

function counterSet(): MetricSet {
  const words = new Uint32Array(2 * SERIES);
  for (let series = 0; series < SERIES; series++) words[2 * series] = series * 7919;
  return {
    scope: "bench/counters",
    labelNames: LABELS,
    instruments: [{
      type: "counter",
      name: "requests",
      description: "Requests.",
      unit: "",
      column: () => ({ kind: "integer", signed: false, words }),
    }],
    seriesCount: SERIES,
    isLive: () => true,
    isOverflow: () => false,
    labelValues: labelsOf,
    generation: () => 0,
  };
}

function histogramSet(sets: number, bounds: number): MetricSet {
  const upperBounds = Float64Array.from({ length: bounds }, (_, slot) => 2 ** slot - 1);
  const counts = new Uint32Array(2 * sets * (bounds + 1));
  for (let at = 0; at < counts.length; at += 2) counts[at] = at * 31;
  const column = {
    kind: "histogram" as const,
    upperBounds,
    stride: bounds + 1,
    counts,
    sums: new Float64Array(sets).fill(12345678),
  };
  return {
    ...counterSet(),
    scope: "bench/histograms",
    instruments: [{
      type: "histogram",
      name: "latency",
      description: "Latency.",
      unit: "us",
      column: () => column,
    }],
    seriesCount: sets,
  };
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
    counter.inc({ pid, comm, cgroup }, series * 7919);
  }
  return registry;
}

function lineCount(chunks: Iterable<Uint8Array>): number {
  let lines = 0;
  for (const chunk of chunks) for (const byte of chunk) if (byte === 10) lines++;
  return lines;
}

function drain(chunks: Iterable<Uint8Array>): number {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

const counters = new Exposition();
counters.add(counterSet());
const histograms = new Exposition();
histograms.add(histogramSet(3_333, 27));
const registry = promClientRegistry();

// Both sides print each series, or the comparison means nothing.
const promClientText = await registry.metrics();
if (lineCount(counters.render("text")) !== SERIES + 2) throw new Error("BUG: series missing");
if (lineCount(histograms.render("text")) !== 3_333 * 30 + 2) throw new Error("BUG: series missing");
if (promClientText.trimEnd().split("\n").length !== SERIES + 2) {
  throw new Error("BUG: prom-client printed another number of series");
}

Deno.bench("kmeter, 100k counters, text", { group: "scrape" }, () => {
  drain(counters.render("text"));
});
Deno.bench("kmeter, 100k lines of histograms, text", { group: "scrape" }, () => {
  drain(histograms.render("text"));
});
Deno.bench("prom-client, 100k counters, text", { group: "scrape", baseline: true }, async () => {
  await registry.metrics();
});
