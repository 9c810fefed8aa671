/** Histogram buckets that grow by a constant factor, as Prometheus' native histograms have them. */

/** What `metrics.boundaries: schema 3 from 1 to 1000000` says, with or without `signed` behind it. */
export interface ExponentialBoundaries {
  /** Buckets double 2^schema times slower than the powers of two: 0 to 8. */
  readonly schema: number;
  /** Smallest value that is told apart from zero; above zero. */
  readonly from: number;
  /** Largest value that is told apart from larger ones. */
  readonly to: number;
  /** The same buckets below zero; else what is there counts as zero. */
  readonly isSigned: boolean;
}

/** Buckets on one side of zero at most: each is a 64-bit cell in every row. */
export const MAX_EXPONENTIAL_BUCKETS = 512;

const FORM = /^schema ([0-8]) from (\S+) to (\S+?)( signed)?$/;

/** Reads the form above; undefined if the text has another one. Range and size are not checked. */
export function parseExponential(text: string): ExponentialBoundaries | undefined {
  const match = FORM.exec(text.trim().replaceAll(/\s+/g, " "));
  if (match === null) return undefined;
  return {
    schema: Number(match[1]),
    from: Number(match[2]),
    to: Number(match[3]),
    isSigned: match[4] !== undefined,
  };
}

/** Upper bound of bucket `index`: 2^(index / 2^schema), inclusive. */
export function exponentialBound(index: number, schema: number): number {
  const perDoubling = 2 ** schema;
  const exponent = Math.floor(index / perDoubling);
  return 2 ** ((index - exponent * perDoubling) / perDoubling) * 2 ** exponent;
}

/** Index of the bucket that holds `value`, which is above zero. */
export function exponentialIndex(value: number, schema: number): number {
  let index = Math.ceil(Math.log2(value) * 2 ** schema);
  // The logarithm is rounded: a power of two must not slip into the bucket above its own.
  while (exponentialBound(index - 1, schema) >= value) index--;
  while (exponentialBound(index, schema) < value) index++;
  return index;
}

/** Indexes of the first and the last bucket between `from` and `to`. */
export function exponentialRange(
  { schema, from, to }: ExponentialBoundaries,
): { first: number; last: number } {
  return { first: exponentialIndex(from, schema), last: exponentialIndex(to, schema) };
}
