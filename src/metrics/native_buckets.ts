/** Which buckets of a Prometheus native histogram the cells of a histogram are. */

import { exponentialBound, type ExponentialBoundaries, exponentialRange } from "../gadget/mod.ts";

/**
 * Native buckets have the bounds 2^(index / 2^schema). Cells behind `zeroCell` have the indexes
 * `firstIndex`, `firstIndex + 1` …; those before it, read backwards, are the same below zero. The open
 * outermost cells count as one bucket more of the same width.
 */
export interface NativeBuckets {
  readonly schema: number;
  /** Values between this and its negative are in the zero bucket; above 0. */
  readonly zeroThreshold: number;
  readonly zeroCell: number;
  readonly firstIndex: number;
}

/** Bounds 2^first, 2^(first + 1) …, or one less than each of these. */
export interface Log2Bounds {
  readonly first: number;
  readonly isLess: boolean;
}

/**
 * Stands for 0, which Prometheus would take for "no native histogram" as long as nothing is counted:
 * the smallest power of two that is usual.
 */
const NO_ZERO_THRESHOLD = 2 ** -128;

/** Says how bounds follow the powers of two; undefined if they do not. */
export function log2Bounds(bounds: readonly number[]): Log2Bounds | undefined {
  return [false, true].map((isLess) => ({
    isLess,
    first: Math.log2((bounds[0] ?? NaN) + (isLess ? 1 : 0)),
  })).find(({ isLess, first }) =>
    Number.isInteger(first) && first >= 0 &&
    bounds.every((bound, index) => bound === 2 ** (first + index) - (isLess ? 1 : 0))
  );
}

/**
 * Native buckets of whole values that are not negative, if the bounds follow the powers of two.
 *
 * With bounds 2^n the buckets are the native ones. Those with bounds 2^n - 1, `[2^(n-1), 2^n - 1]`,
 * become `(2^(n-1), 2^n]`: every value is where Prometheus looks for it but the power of two itself,
 * which lies on the open edge of its bucket.
 */
export function log2NativeBuckets(bounds: readonly number[]): NativeBuckets | undefined {
  const log2 = log2Bounds(bounds);
  if (log2 === undefined) return undefined;
  return {
    schema: 0,
    zeroThreshold: bounds[0] === 0 ? NO_ZERO_THRESHOLD : bounds[0],
    zeroCell: 0,
    firstIndex: log2.first + 1,
  };
}

/** Bounds and native buckets of an exponential setting. */
export function exponentialBuckets(
  setting: ExponentialBoundaries,
): { bounds: number[]; native: NativeBuckets } {
  const { schema, isSigned } = setting;
  const { first, last } = exponentialRange(setting);
  const above = Array.from(
    { length: last - first + 2 },
    (_, index) => exponentialBound(first - 1 + index, schema),
  );
  const below = isSigned ? above.map((bound) => -bound).reverse() : [];
  return {
    bounds: [...below, ...above],
    native: { schema, zeroThreshold: above[0], zeroCell: below.length, firstIndex: first },
  };
}
