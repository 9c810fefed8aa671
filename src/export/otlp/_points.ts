/** Data points as OTLP has them, whatever they are written as. */

import type { InstrumentDescription } from "./messages.ts";

export type AttributeValue = string | boolean;

interface PointBase {
  readonly attributes: readonly (readonly [name: string, value: AttributeValue])[];
  /** Milliseconds since the epoch; absent for gauges. */
  readonly startMs?: number;
  readonly timeMs: number;
}

export interface NumberPoint extends PointBase {
  readonly kind: "number";
  /** An integer that fits 64 bits with sign, or a double. */
  readonly value: bigint | number;
}

interface Distribution extends PointBase {
  readonly count: bigint;
  /** Absent where values below zero may be in it. */
  readonly sum?: number;
}

export interface HistogramPoint extends Distribution {
  readonly kind: "histogram";
  readonly upperBounds: Float64Array;
  /** One more than bounds. */
  readonly counts: readonly bigint[];
}

/** With scale 0: bucket i holds (2^i, 2^(i+1)]. */
export interface ExponentialPoint extends Distribution {
  readonly kind: "exponential";
  readonly zeroCount: bigint;
  /** Index of the first bucket. */
  readonly offset: number;
  readonly counts: readonly bigint[];
}

export type Point = NumberPoint | HistogramPoint | ExponentialPoint;

export type MetricShape = "gauge" | "sum" | "histogram" | "exponentialHistogram";

/** A metric as it is announced before its points. */
export interface MetricHead {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly shape: MetricShape;
}

/** OTLP's numbers of temporalities. */
export const TEMPORALITY = { delta: 1, cumulative: 2 } as const;
export type Temporality = keyof typeof TEMPORALITY;

/** Writes one request. */
export interface RequestWriter {
  /** About how long the request is, in bytes. */
  readonly length: number;
  beginScope(scope: { readonly name: string; readonly version: string }): void;
  beginMetric(metric: MetricHead): void;
  point(point: Point): void;
  endMetric(): void;
  endScope(): void;
  /** The request. The writer begins another one then. */
  take(): Uint8Array<ArrayBuffer>;
}

const MAX_INT64 = 2n ** 63n - 1n;
const NS_PER_MS = 1_000_000n;

/** OTLP has no unsigned integers: what is too large becomes a double. */
export function unsignedValue(value: bigint): bigint | number {
  return value <= MAX_INT64 ? value : Number(value);
}

/** Nanoseconds since the epoch. */
export function nanoseconds(timeMs: number): bigint {
  return BigInt(Math.round(timeMs)) * NS_PER_MS;
}

/** Whether OTLP allows a sum: values below zero forbid it. */
export function hasSum(
  sum: number,
  { upperBounds }: Pick<InstrumentDescription, "upperBounds">,
): boolean {
  return sum >= 0 && !(upperBounds[0] < 0);
}

/**
 * Log2 slots as an exponential histogram of scale 0.
 *
 * Slot 0 holds zeros. Slot i holds the integers 2^(i-1) … 2^i - 1, bucket i - 1 is (2^(i-1), 2^i]. So every
 * count stays what it is, and only a value that is a power of two itself stands one bucket higher than
 * it would if it had been recorded there. The last slot is open above, which no bucket is: it becomes the
 * bucket where it begins.
 */
export function exponentialBuckets(
  slots: readonly bigint[],
): Pick<ExponentialPoint, "zeroCount" | "offset" | "counts"> {
  const first = slots.findIndex((count, slot) => slot > 0 && count > 0n);
  if (first < 0) return { zeroCount: slots[0], offset: 0, counts: [] };
  const last = slots.findLastIndex((count) => count > 0n);
  return { zeroCount: slots[0], offset: first - 1, counts: slots.slice(first, last + 1) };
}
