/** A data source with every kind of metric, and some series. */

import type { CellColumn, Column, Instrument, MetricSet } from "../../../src/metrics/family.ts";

/** A metric over one column. */
export function instrument(
  name: string,
  type: Instrument["type"],
  given: { unit?: string; column: Column },
): Instrument {
  return { name, type, description: "", unit: given.unit ?? "", column: () => given.column };
}

export const INTEGERS = { kind: "integer", stride: 1, offset: 0 } as const;

/** Both views of cells that hold integers or, by their bits, doubles. */
export function cells(values: readonly bigint[]): Pick<CellColumn, "cells" | "floats"> {
  const cells = BigUint64Array.from(values, (value) => BigInt.asUintN(64, value));
  return { cells, floats: new Float64Array(cells.buffer) };
}

function floatColumn(values: readonly number[]): Column {
  const floats = Float64Array.from(values);
  const cells = new BigUint64Array(floats.buffer);
  return { kind: "float", stride: 1, offset: 0, cells, floats };
}

/** Counts of four buckets and a sum for each series, behind a cell of another column. */
export function histogramColumn(
  rows: readonly (readonly [...counts: bigint[], sum: number])[],
): Column {
  const stride = 6;
  const made = cells(Array(rows.length * stride).fill(77n));
  rows.forEach((row, series) => {
    const first = series * stride + 1;
    made.cells.set(row.slice(0, 4) as bigint[], first);
    made.floats[first + 4] = row[4] as number;
  });
  return { kind: "histogram", upperBounds: Float64Array.of(0, 1, 3), stride, offset: 1, ...made };
}

const HISTOGRAM = histogramColumn([
  [0n, 1n, 2n, 0n, 6],
  [9n, 9n, 9n, 9n, 0],
  [0n, 40n, 10n, 1n, 70],
  [0n, 0n, 5n, 0n, 12.5],
  [0n, 0n, 0n, 0n, 0],
]);

/** Series 1 is dead, series 3 is the overflow, series 4 has not counted yet. */
export function metricSet(instruments: readonly Instrument[]): MetricSet {
  return {
    scope: "test/set",
    labelNames: ["comm", "op"],
    instruments,
    seriesCount: 5,
    isLive: (series) => series !== 1,
    isOverflow: (series) => series === 3,
    labelValues: (series) => [["bash", "日本", "evil\x1b[2J", "", "idle"][series], `op${series}`],
    generation: () => 0,
    changes: 0,
  };
}

export const ALL = metricSet([
  instrument("bytes", "counter", {
    unit: "By",
    column: { ...INTEGERS, signed: false, ...cells([5n, 9n, -1n, 7n, 0n]) },
  }),
  instrument("latency", "histogram", { unit: "us", column: HISTOGRAM }),
  instrument("depth", "gauge", {
    column: { ...INTEGERS, signed: true, ...cells([-5n, 9n, -1n, 7n, 0n]) },
  }),
  instrument("load", "gauge", {
    column: floatColumn([0.5, 1, NaN, 2, 0]),
  }),
]);
