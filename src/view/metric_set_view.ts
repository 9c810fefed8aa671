/** All metrics of a data source as text, for `metrics.print`. */

import { valueToText } from "../decode/mod.ts";
import type { Column, HistogramColumn, Instrument, MetricSet } from "../metrics/mod.ts";
import { escapeControls } from "../text/mod.ts";
import { displayWidth, truncateText } from "./display_text.ts";
import { renderHistogram, seriesTitle } from "./histogram.ts";

export interface MetricSetViewOptions {
  /** Series shown of each instrument or table; what is left out is counted. */
  readonly maxSeries: number;
  /** Width of the terminal, to which tables are cut; absent for no limit. */
  readonly widthColumns?: number;
}

interface Ranked {
  readonly series: number;
  readonly rank: number;
}

/**
 * Histograms one by one, then counters and gauges as one table; the busiest series first.
 *
 * Cost: ranks all series by number, makes text only of those shown.
 */
export function renderMetricSet(set: MetricSet, options: MetricSetViewOptions): string {
  const live: number[] = [];
  for (let series = 0; series < set.seriesCount; series++) {
    if (set.isLive(series)) live.push(series);
  }
  const isHistogram = (instrument: Instrument) => instrument.type === "histogram";
  const parts = set.instruments.filter(isHistogram)
    .flatMap((instrument) => histogramTexts({ set, instrument, live, options }));
  const scalars = set.instruments.filter((instrument) => !isHistogram(instrument));
  if (scalars.length > 0) parts.push(scalarTable({ set, instruments: scalars, live, options }));
  return parts.join("\n");
}

/**
 * What `read` makes of a series, or `undefined` if the series went to another key meanwhile: labels
 * and values would not belong together.
 */
function readWhole<T>(set: MetricSet, series: number, read: () => T): T | undefined {
  const generation = set.generation(series);
  const value = read();
  return generation % 2 === 0 && set.generation(series) === generation ? value : undefined;
}

function busiest(live: readonly number[], rankOf: (series: number) => number): Ranked[] {
  const ranked = live.map((series) => ({ series, rank: rankOf(series) }));
  // NaN (a gauge may be one) would make the order inconsistent.
  return ranked.sort((a, b) => (b.rank || 0) - (a.rank || 0) || a.series - b.series);
}

function labelPairs(set: MetricSet, series: number): [string, string][] {
  if (set.isOverflow(series)) return [["otel_metric_overflow", "true"]];
  const values = set.labelValues(series);
  return set.labelNames.map((name, i) => [name, values[i]]);
}

function leftOutText(count: number): string {
  return count > 0 ? `… and ${count} more series\n` : "";
}

interface HistogramPart {
  readonly set: MetricSet;
  readonly instrument: Instrument;
  readonly live: readonly number[];
  readonly options: MetricSetViewOptions;
}

function histogramTexts({ set, instrument, live, options }: HistogramPart): string[] {
  const column = instrument.column();
  if (column.kind !== "histogram") {
    throw new Error(`BUG: histogram ${instrument.name} has a column of kind ${column.kind}`);
  }
  const ranked = busiest(live, (series) => totalCount(column, series)).filter(({ rank }) =>
    rank > 0
  );
  const texts = ranked.slice(0, options.maxSeries).flatMap(({ series }) =>
    readWhole(set, series, () =>
      renderHistogram({
        title: instrument.name,
        unit: instrument.unit,
        labels: labelPairs(set, series),
        upperBounds: column.upperBounds,
        counts: seriesCounts(column, series),
        isInteger: hasIntegerValues(column, series),
      })) ?? []
  );
  if (texts.length === 0) texts.push(`${seriesTitle(instrument.name, [])}: no values yet\n`);
  const leftOut = leftOutText(ranked.length - Math.min(ranked.length, options.maxSeries));
  return leftOut === "" ? texts : [...texts, leftOut];
}

function totalCount(column: HistogramColumn, series: number): number {
  let total = 0;
  for (const count of seriesCounts(column, series)) total += Number(count);
  return total;
}

/** Live: what another thread counts shows. */
function seriesCounts(column: HistogramColumn, series: number): BigUint64Array {
  const first = firstCell(column, series);
  return column.cells.subarray(first, first + column.upperBounds.length + 1);
}

function firstCell({ stride, offset }: Column, series: number): number {
  return series * stride + offset;
}

/** Slots (2^i − 1) count integers; other integer bounds do if the sum shows no fraction. */
function hasIntegerValues(column: HistogramColumn, series: number): boolean {
  const { upperBounds, floats } = column;
  if (!upperBounds.every(Number.isInteger)) return false;
  const isSlots = upperBounds.every((bound, i) =>
    bound === 2 ** (i + Math.log2(upperBounds[0] + 1)) - 1
  );
  return isSlots || Number.isInteger(floats[firstCell(column, series) + upperBounds.length + 1]);
}

interface TablePart {
  readonly set: MetricSet;
  readonly instruments: readonly Instrument[];
  readonly live: readonly number[];
  readonly options: MetricSetViewOptions;
}

/** UCUM codes that do not speak for themselves. */
const UNIT_WORDS: Readonly<Record<string, string>> = { By: "bytes", "1": "ratio", Cel: "°C" };

function scalarTable({ set, instruments, live, options }: TablePart): string {
  const columns = instruments.map((instrument) => instrument.column());
  const ranked = busiest(live, (series) => Number(scalarText(columns[0], series)));
  const shown = ranked.slice(0, options.maxSeries);
  const headers = [
    ...set.labelNames.map((name) => name.toUpperCase()),
    ...instruments.map(({ name, unit }) =>
      unit === "" ? name.toUpperCase() : `${name.toUpperCase()} (${UNIT_WORDS[unit] ?? unit})`
    ),
  ];
  const rows = shown.flatMap(({ series }) => {
    const row = readWhole(set, series, () => [
      ...labelCells(set, series),
      ...columns.map((column) => scalarText(column, series)),
    ]);
    return row === undefined ? [] : [row];
  });
  const table = alignTable([headers, ...rows], {
    leftCount: set.labelNames.length,
    widthColumns: options.widthColumns ?? Infinity,
  });
  return table + leftOutText(ranked.length - shown.length);
}

/** The overflow series has no label values: its mark takes the first cell. */
function labelCells(set: MetricSet, series: number): string[] {
  if (!set.isOverflow(series)) return set.labelValues(series);
  return set.labelNames.map((_, i) => i === 0 ? 'otel_metric_overflow="true"' : "");
}

function scalarText(column: Column, series: number): string {
  const cell = firstCell(column, series);
  if (column.kind === "float") return valueToText(column.floats[cell]);
  if (column.kind === "histogram") throw new Error("BUG: histogram column in a table");
  const bits = column.cells[cell];
  return String(column.signed ? BigInt.asIntN(64, bits) : bits);
}

function alignTable(
  rows: readonly (readonly string[])[],
  { leftCount, widthColumns }: { leftCount: number; widthColumns: number },
): string {
  const cells = rows.map((row) => row.map(escapeControls));
  const widths = cells[0].map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i]))));
  const lines = cells.map((row) => {
    const line = row.map((text, i) => {
      const padding = " ".repeat(widths[i] - displayWidth(text));
      return i < leftCount ? text + padding : padding + text;
    }).join(" ").trimEnd();
    return `${truncateText(line, { width: widthColumns, ellipsis: "end" })}\n`;
  });
  return lines.join("");
}
