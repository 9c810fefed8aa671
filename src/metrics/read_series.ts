/** Values of single series, read while another thread counts. */

import type { CellColumn, Column, HistogramColumn, MetricSet } from "./family.ts";

/**
 * What `read` makes of a series, or `undefined` if the series went to another key meanwhile: labels
 * and values would not belong together.
 */
export function readWhole<T>(set: MetricSet, series: number, read: () => T): T | undefined {
  const generation = set.generation(series);
  const value = read();
  return generation % 2 === 0 && set.generation(series) === generation ? value : undefined;
}

/** Value of a counter or gauge. */
export function scalarValue(column: Column, series: number): number | bigint {
  const cell = firstCell(column, series);
  if (column.kind === "float") return column.floats[cell];
  if (column.kind === "histogram") throw new Error("BUG: a histogram has no single value");
  const bits = column.cells[cell];
  return column.signed ? BigInt.asIntN(64, bits) : bits;
}

/** Counts of a histogram's buckets. Live: what another thread counts shows. */
export function bucketCounts(column: HistogramColumn, series: number): BigUint64Array {
  const first = firstCell(column, series);
  return column.cells.subarray(first, first + column.upperBounds.length + 1);
}

/** Sum of a histogram's values. */
export function histogramSum(column: HistogramColumn, series: number): number {
  return column.floats[firstCell(column, series) + column.upperBounds.length + 1];
}

/** Values that a histogram has counted. */
export function totalCount(column: HistogramColumn, series: number): number {
  let total = 0;
  for (const count of bucketCounts(column, series)) total += Number(count);
  return total;
}

function firstCell({ stride, offset }: CellColumn, series: number): number {
  return series * stride + offset;
}
