/** The series of a metric set that counted most, as plain data. */

import {
  bucketCounts,
  type Column,
  type HistogramColumn,
  histogramSum,
  type MetricSet,
  readWhole,
  scalarValue,
  totalCount,
} from "../metrics/mod.ts";
import { labelColumnsOf } from "./exposition.ts";
import { joinValues } from "./_label_arena.ts";
import { doubleText } from "./_number_text.ts";
import { Pace } from "./pace.ts";
import { type LabelColumn, translateMetricName } from "./prometheus_names.ts";
import type {
  StatusHistogram,
  StatusMetric,
  StatusMetrics,
  StatusNumber,
  StatusSeries,
} from "./status.ts";

/** Series told of each data source. */
export const MAX_STATUS_SERIES = 20;
const MAX_LABEL_CHARACTERS = 200;
/** Ranked in one go: less than a millisecond of counters. */
const ROWS_AT_A_TIME = 4096;

/** How a set is read. */
export interface StatusMetricsOptions {
  readonly prefix?: string;
  /** False when the set's memory may be gone. */
  readonly isServed: () => boolean;
}

/**
 * Reads a set, and lets other work have its turn meanwhile. @returns undefined if the set has gone.
 *
 * Cost: ranks all series by number, makes text only of those it returns.
 */
export async function readStatusMetrics(
  set: MetricSet,
  { prefix, isServed }: StatusMetricsOptions,
): Promise<StatusMetrics | undefined> {
  const pace = new Pace();
  const top = new Top();
  for (let start = 0; start < set.seriesCount; start += ROWS_AT_A_TIME) {
    await pace.breathe();
    if (!isServed()) return undefined;
    const column = set.instruments[0]?.column();
    const end = Math.min(start + ROWS_AT_A_TIME, set.seriesCount);
    for (let series = start; series < end; series++) {
      if (set.isLive(series)) top.offer(series, rankOf(column, series));
    }
  }
  const labels = labelColumnsOf(set);
  return {
    metrics: set.instruments.map((instrument): StatusMetric => {
      const { type, unit, description: help } = instrument;
      const column = instrument.column();
      const bounds = column.kind === "histogram" && { bounds: [...column.upperBounds] };
      return { name: translateMetricName(instrument, prefix).name, type, unit, help, ...bounds };
    }),
    labelNames: labels.map(({ name }) => name),
    series: top.series.flatMap((series) => readSeries(set, series, labels) ?? []),
  };
}

/** The highest ranks. */
class Top {
  readonly #entries: { readonly series: number; readonly rank: number }[] = [];

  offer(series: number, rank: number): void {
    const entries = this.#entries;
    const isFull = entries.length === MAX_STATUS_SERIES;
    if (isFull && rank <= entries[MAX_STATUS_SERIES - 1].rank) return;
    if (isFull) entries.pop();
    entries.splice(entries.findLastIndex((entry) => entry.rank >= rank) + 1, 0, { series, rank });
  }

  get series(): number[] {
    return this.#entries.map(({ series }) => series);
  }
}

function rankOf(column: Column | undefined, series: number): number {
  if (column === undefined) return 0;
  return column.kind === "histogram"
    ? totalCount(column, series)
    : Number(scalarValue(column, series)) || 0;
}

/** Undefined if the series went to another key meanwhile. */
function readSeries(
  set: MetricSet,
  series: number,
  labels: readonly LabelColumn[],
): StatusSeries | undefined {
  return readWhole(set, series, () => ({
    id: `${series}.${set.generation(series)}`,
    labels: set.isOverflow(series)
      ? { otel_metric_overflow: "true" }
      : labelsOf(set.labelValues(series), labels),
    values: set.instruments.map((instrument) => {
      const column = instrument.column();
      return column.kind === "histogram"
        ? histogram(column, series)
        : jsonNumber(scalarValue(column, series));
    }),
  }));
}

function labelsOf(
  values: readonly string[],
  labels: readonly LabelColumn[],
): Record<string, string> {
  return Object.fromEntries(
    labels.map(({ name, sources }) => [name, cut(joinValues(values, sources))]),
  );
}

function cut(text: string): string {
  if (text.length <= MAX_LABEL_CHARACTERS) return text;
  // Half a character would be no Unicode.
  return `${text.slice(0, MAX_LABEL_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

function histogram(column: HistogramColumn, series: number): StatusHistogram {
  const counts = Array.from(bucketCounts(column, series), jsonNumber);
  return { counts, sum: jsonNumber(histogramSum(column, series)) };
}

function jsonNumber(value: number | bigint): StatusNumber {
  if (typeof value === "number") return Number.isFinite(value) ? value : doubleText(value);
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : String(value);
}
