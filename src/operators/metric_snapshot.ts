/** Metrics as plain values: what can be sent, kept and written as JSON. */

import type { InstrumentType, MetricSet } from "../metrics/mod.ts";

/** One metric of a data source at one moment. */
export interface MetricSnapshot {
  /** Instrumentation scope, usually `<gadget>/<data source>`. */
  readonly scope: string;
  /** OpenTelemetry's name, before translation. */
  readonly name: string;
  readonly type: InstrumentType;
  /** UCUM unit, may be "". */
  readonly unit: string;
  readonly description: string;
  readonly series: readonly SeriesSnapshot[];
}

/** One series of a metric. */
export interface SeriesSnapshot {
  /** Text of the keys by attribute name; of what is over the limit, `otel_metric_overflow` alone. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of a counter or gauge: a bigint if it is an integer, for it may have 64 bits. */
  readonly value?: bigint | number;
  /** Of a histogram. */
  readonly histogram?: HistogramSnapshot;
}

/** One histogram. */
export interface HistogramSnapshot {
  readonly count: bigint;
  readonly sum: number;
  /** Inclusive upper bounds, ascending, the last one +Infinity; counts are not cumulative. */
  readonly buckets: readonly { readonly upperBound: number; readonly count: bigint }[];
}

/** Copies all live series. Cost: decodes all labels. */
export function snapshotMetrics(sets: readonly MetricSet[]): MetricSnapshot[] {
  return sets.flatMap((set) => {
    const series = liveSeries(set);
    return set.instruments.map(({ name, type, unit, description }, index) => ({
      scope: set.scope,
      name,
      type,
      unit,
      description,
      series: series.map(({ labels, values }) => ({ labels, ...values[index] })),
    }));
  });
}

type Value = Pick<SeriesSnapshot, "value" | "histogram">;

function liveSeries(set: MetricSet): { labels: Record<string, string>; values: Value[] }[] {
  const found = [];
  for (let series = 0; series < set.seriesCount; series++) {
    const generation = set.generation(series);
    if (!set.isLive(series)) continue;
    const labels = labelsOf(set, series);
    const values = readValues(set, series);
    // Allotted to another key meanwhile: what was read does not belong together.
    if (set.generation(series) === generation) found.push({ labels, values });
  }
  return found;
}

function labelsOf(set: MetricSet, series: number): Record<string, string> {
  if (set.isOverflow(series)) return { otel_metric_overflow: "true" };
  const values = set.labelValues(series);
  return Object.fromEntries(set.labelNames.map((name, index) => [name, values[index]]));
}

function readValues(set: MetricSet, series: number): Value[] {
  return set.instruments.map((instrument): Value => {
    const column = instrument.column();
    const { cells, floats } = column;
    const first = series * column.stride + column.offset;
    switch (column.kind) {
      case "integer":
        return { value: column.signed ? BigInt.asIntN(64, cells[first]) : cells[first] };
      case "float":
        return { value: floats[first] };
      case "histogram": {
        const bounds = [...column.upperBounds, Infinity];
        const buckets = bounds.map((upperBound, bucket) => ({
          upperBound,
          count: cells[first + bucket],
        }));
        const count = buckets.reduce((total, bucket) => total + bucket.count, 0n);
        return { histogram: { count, sum: floats[first + bounds.length], buckets } };
      }
    }
  });
}
