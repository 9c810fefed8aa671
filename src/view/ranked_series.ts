/** The busiest series of an instrument, and how they are called. */

import { valueToText } from "../decode/mod.ts";
import {
  type Column,
  type HistogramColumn,
  histogramSum,
  type Instrument,
  type MetricSet,
  scalarValue,
  totalCount,
} from "../metrics/mod.ts";

/** A series and what it is ranked by. */
export interface Ranked {
  readonly series: number;
  readonly rank: number;
}

/** Series that have labels and values now. */
export function liveSeries(set: MetricSet): number[] {
  const live: number[] = [];
  for (let series = 0; series < set.seriesCount; series++) {
    if (set.isLive(series)) live.push(series);
  }
  return live;
}

/** The highest first. Cost: sorts all. */
export function busiest(live: readonly number[], rankOf: (series: number) => number): Ranked[] {
  const ranked = live.map((series) => ({ series, rank: rankOf(series) }));
  // NaN (a gauge may be one) would make the order inconsistent.
  return ranked.sort((a, b) => (b.rank || 0) - (a.rank || 0) || a.series - b.series);
}

/** Series of a histogram that have counted, the busiest first. */
export function busiestHistograms(column: HistogramColumn, live: readonly number[]): Ranked[] {
  return busiest(live, (series) => totalCount(column, series)).filter(({ rank }) => rank > 0);
}

/** Label names and values. */
export function labelPairs(set: MetricSet, series: number): [name: string, value: string][] {
  if (set.isOverflow(series)) return [["otel_metric_overflow", "true"]];
  const values = set.labelValues(series);
  return set.labelNames.map((name, i) => [name, values[i]]);
}

/** Label values as cells. The overflow series has none: its mark takes the first cell. */
export function labelCells(set: MetricSet, series: number): string[] {
  if (!set.isOverflow(series)) return set.labelValues(series);
  return set.labelNames.map((_, i) => i === 0 ? 'otel_metric_overflow="true"' : "");
}

/** The column of a histogram. */
export function histogramColumn(instrument: Instrument): HistogramColumn {
  const column = instrument.column();
  if (column.kind === "histogram") return column;
  throw new Error(`BUG: histogram ${instrument.name} has a column of kind ${column.kind}`);
}

/** Slots (2^i − 1) count integers; other integer bounds do if the sum shows no fraction. */
export function hasIntegerValues(column: HistogramColumn, series: number): boolean {
  const { upperBounds } = column;
  if (!upperBounds.every(Number.isInteger)) return false;
  const isSlots = upperBounds.every((bound, i) =>
    bound === 2 ** (i + Math.log2(upperBounds[0] + 1)) - 1
  );
  return isSlots || Number.isInteger(histogramSum(column, series));
}

/** Value of a counter or gauge, whole. */
export function scalarText(column: Column, series: number): string {
  return valueToText(scalarValue(column, series));
}
