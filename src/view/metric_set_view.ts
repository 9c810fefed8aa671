/** All metrics of a data source as text for a pipe or file: values are exact. For `metrics.print`. */

import {
  bucketCounts,
  type Instrument,
  type MetricSet,
  readWhole,
  scalarValue,
} from "../metrics/mod.ts";
import { alignTable } from "./align_table.ts";
import { renderHistogram, seriesTitle } from "./histogram.ts";
import {
  busiest,
  busiestHistograms,
  hasIntegerValues,
  histogramColumn,
  labelCells,
  labelPairs,
  liveSeries,
  scalarText,
} from "./ranked_series.ts";

export interface MetricSetViewOptions {
  /** Series shown of each instrument or table; what is left out is counted. */
  readonly maxSeries: number;
}

/**
 * Histograms one by one, then counters and gauges as one table; the busiest series first.
 *
 * Cost: ranks all series by number, makes text only of those shown.
 */
export function renderMetricSet(set: MetricSet, options: MetricSetViewOptions): string {
  const live = liveSeries(set);
  const isHistogram = (instrument: Instrument) => instrument.type === "histogram";
  const parts = set.instruments.filter(isHistogram)
    .flatMap((instrument) => histogramTexts({ set, instrument, live, options }));
  const scalars = set.instruments.filter((instrument) => !isHistogram(instrument));
  if (scalars.length > 0) parts.push(scalarTable({ set, instruments: scalars, live, options }));
  return parts.join("\n");
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
  const column = histogramColumn(instrument);
  const ranked = busiestHistograms(column, live);
  const texts = ranked.slice(0, options.maxSeries).flatMap(({ series }) =>
    readWhole(set, series, () =>
      renderHistogram({
        title: instrument.name,
        unit: instrument.unit,
        labels: labelPairs(set, series),
        upperBounds: column.upperBounds,
        counts: bucketCounts(column, series),
        isInteger: hasIntegerValues(column, series),
      })) ?? []
  );
  if (texts.length === 0) texts.push(`${seriesTitle(instrument.name, [])}: no values yet\n`);
  const leftOut = leftOutText(ranked.length - Math.min(ranked.length, options.maxSeries));
  return leftOut === "" ? texts : [...texts, leftOut];
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
  const ranked = busiest(live, (series) => Number(scalarValue(columns[0], series)));
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
  const lines = alignTable([headers, ...rows], {
    leftCount: set.labelNames.length,
    widthColumns: Infinity,
  });
  return lines.map((line) => `${line}\n`).join("") + leftOutText(ranked.length - shown.length);
}
