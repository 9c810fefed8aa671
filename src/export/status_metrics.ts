/** The series of a metric set that counted most, as plain data. */

import type { Column, HistogramColumn, MetricSet } from "../metrics/mod.ts";
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
  if (column.kind !== "histogram") return Number(scalar(column, series)) || 0;
  let total = 0;
  for (const count of bucketCells(column, series)) total += Number(count);
  return total;
}

/** Undefined if the series went to another key meanwhile: labels and values would not belong together. */
function readSeries(
  set: MetricSet,
  series: number,
  labels: readonly LabelColumn[],
): StatusSeries | undefined {
  const generation = set.generation(series);
  const read = {
    id: `${series}.${generation}`,
    labels: set.isOverflow(series)
      ? { otel_metric_overflow: "true" }
      : labelsOf(set.labelValues(series), labels),
    values: set.instruments.map((instrument) => {
      const column = instrument.column();
      return column.kind === "histogram"
        ? histogram(column, series)
        : jsonNumber(scalar(column, series));
    }),
  };
  return generation % 2 === 0 && set.generation(series) === generation ? read : undefined;
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

function scalar(column: Column, series: number): number | bigint {
  const cell = firstCell(column, series);
  if (column.kind === "float") return column.floats[cell];
  const bits = column.cells[cell];
  return column.kind === "integer" && column.signed ? BigInt.asIntN(64, bits) : bits;
}

function histogram(column: HistogramColumn, series: number): StatusHistogram {
  const sum = column.floats[firstCell(column, series) + column.upperBounds.length + 1];
  return { counts: Array.from(bucketCells(column, series), jsonNumber), sum: jsonNumber(sum) };
}

function bucketCells(column: HistogramColumn, series: number): BigUint64Array {
  const first = firstCell(column, series);
  return column.cells.subarray(first, first + column.upperBounds.length + 1);
}

function firstCell({ stride, offset }: Column, series: number): number {
  return series * stride + offset;
}

function jsonNumber(value: number | bigint): StatusNumber {
  if (typeof value === "number") return Number.isFinite(value) ? value : doubleText(value);
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : String(value);
}
