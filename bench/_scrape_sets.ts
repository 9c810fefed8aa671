/** Metric sets of known size, for the benches of scrapes. */

import type { Column, MetricSet } from "../src/metrics/mod.ts";
import { log2NativeBuckets } from "../src/metrics/native_buckets.ts";

export const LABELS = ["pid", "comm", "cgroup"];

/** Cells of a row in front of the column: a store keeps the key there. */
const KEY_CELLS = 3;

export function labelsOf(series: number): string[] {
  return [
    String(1000 + series),
    `worker-${series % 97}`,
    `/system.slice/unit-${series % 31}.service`,
  ];
}

export function counterValue(series: number): number {
  return series * 7919;
}

/** Counters with three labels, of one data source. */
export function counterSet(seriesCount: number): MetricSet {
  const column = makeColumn(seriesCount, 1);
  for (let series = 0; series < seriesCount; series++) {
    column.cells[series * column.stride + column.offset] = BigInt(counterValue(series));
  }
  return setOf("counter", seriesCount, { kind: "integer", signed: false, ...column });
}

/** Histograms with a bucket per power of two, `countOf(bucket)` in each. */
export function slotSet(
  seriesCount: number,
  slots: number,
  countOf: (bucket: number) => number,
): MetricSet {
  const column = makeColumn(seriesCount, slots + 2);
  for (let series = 0; series < seriesCount; series++) {
    const first = series * column.stride + column.offset;
    for (let bucket = 0; bucket <= slots; bucket++) {
      column.cells[first + bucket] = BigInt(countOf(bucket));
    }
    column.floats[first + slots + 1] = 12345678;
  }
  const bounds = Array.from({ length: slots }, (_, slot) => 2 ** slot - 1);
  return setOf("histogram", seriesCount, {
    kind: "histogram",
    upperBounds: Float64Array.from(bounds),
    native: log2NativeBuckets(bounds),
    ...column,
  });
}

function makeColumn(seriesCount: number, cellCount: number) {
  const stride = KEY_CELLS + cellCount;
  const memory = new SharedArrayBuffer(8 * seriesCount * stride);
  const cells = new BigUint64Array(memory);
  return { cells, floats: new Float64Array(memory), stride, offset: KEY_CELLS };
}

function setOf(type: "counter" | "histogram", seriesCount: number, column: Column): MetricSet {
  const live = new Uint8Array(seriesCount).fill(1);
  const generations = new Int32Array(new SharedArrayBuffer(4 * seriesCount));
  return {
    scope: "bench/source",
    labelNames: LABELS,
    instruments: [{
      type,
      name: "requests",
      description: "Requests.",
      unit: "",
      column: () => column,
    }],
    seriesCount,
    isLive: (series) => live[series] === 1,
    isOverflow: () => false,
    labelValues: labelsOf,
    generation: (series) => Atomics.load(generations, series),
    changes: 0,
  };
}
