/** Histograms computed in the plainest way. */

import type { HistogramValue } from "./harness.ts";

export type BucketCounts = HistogramValue["buckets"];

/** Puts values into buckets with inclusive upper bounds. */
export function expectHistogram(
  values: readonly number[],
  bounds: readonly number[],
): HistogramValue {
  const buckets: Record<string, bigint> = {};
  for (const value of values) {
    const bound = String(bounds.find((candidate) => value <= candidate) ?? "+Inf");
    buckets[bound] = (buckets[bound] ?? 0n) + 1n;
  }
  return {
    count: BigInt(values.length),
    sum: values.reduce((total, value) => total + value, 0),
    buckets,
  };
}
