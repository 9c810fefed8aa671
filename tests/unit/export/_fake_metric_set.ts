/** Metric sets built by hand, for tests and benches of the exporters. */

import type {
  Column,
  HistogramColumn,
  Instrument,
  InstrumentType,
  MetricSet,
} from "../../../src/metrics/mod.ts";

export interface FakeInstrument {
  readonly type: InstrumentType;
  readonly name: string;
  readonly description?: string;
  readonly unit?: string;
  readonly column: Column;
}

/** A set whose series, labels and columns a test may change at will. */
export class FakeMetricSet implements MetricSet {
  readonly scope: string;
  readonly labelNames: readonly string[];
  readonly instruments: Instrument[];
  rows: (readonly string[])[];
  readonly dead = new Set<number>();
  readonly generations: number[] = [];
  overflowSeries = -1;
  /** Calls of {@linkcode labelValues}. */
  labelReads = 0;

  constructor(scope: string, labelNames: readonly string[], options: {
    rows: (readonly string[])[];
    instruments: readonly FakeInstrument[];
  }) {
    this.scope = scope;
    this.labelNames = labelNames;
    this.rows = options.rows;
    this.instruments = options.instruments.map((instrument) => ({
      type: instrument.type,
      name: instrument.name,
      description: instrument.description ?? `Help of ${instrument.name}.`,
      unit: instrument.unit ?? "",
      column: () => instrument.column,
    }));
  }

  get seriesCount(): number {
    return this.rows.length;
  }
  isLive(series: number): boolean {
    return !this.dead.has(series);
  }
  isOverflow(series: number): boolean {
    return series === this.overflowSeries;
  }
  labelValues(series: number): string[] {
    this.labelReads++;
    return [...this.rows[series]];
  }
  generation(series: number): number {
    return this.generations[series] ?? 0;
  }
}

/** A set with one instrument. */
export function singleSet(scope: string, options: {
  labelNames?: readonly string[];
  rows: (readonly string[])[];
  instrument: FakeInstrument;
}): FakeMetricSet {
  const { labelNames = ["k"], rows, instrument } = options;
  return new FakeMetricSet(scope, labelNames, { rows, instruments: [instrument] });
}

export function integers(values: readonly bigint[], options = { signed: false }): Column {
  const words = new Uint32Array(2 * values.length);
  new BigUint64Array(words.buffer).set(values.map((value) => BigInt.asUintN(64, value)));
  return { kind: "integer", signed: options.signed, words };
}

export function floats(values: readonly number[]): Column {
  return { kind: "float", values: Float64Array.from(values) };
}

/** Counts per series, not cumulative, the last of each for +Inf. */
export function histograms(
  upperBounds: readonly number[],
  series: readonly { counts: readonly bigint[]; sum: number }[],
): HistogramColumn {
  const stride = upperBounds.length + 1;
  const counts = new BigUint64Array(stride * series.length);
  series.forEach((one, index) => counts.set(one.counts, index * stride));
  return {
    kind: "histogram",
    upperBounds: Float64Array.from(upperBounds),
    stride,
    counts: new Uint32Array(counts.buffer),
    sums: Float64Array.from(series.map((one) => one.sum)),
  };
}

/** All chunks of a page as one string; fails on invalid UTF-8. */
export function pageText(chunks: Iterable<Uint8Array>): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
