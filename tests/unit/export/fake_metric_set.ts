/** Metric sets built by hand, for tests and benches of the exporters. */

import type {
  Column,
  Exemplar,
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
  /** Of the series that have one. */
  readonly exemplars?: readonly (Exemplar | undefined)[];
  readonly isSlots?: boolean;
}

/** A set whose series, labels and columns a test may change at will. */
export class FakeMetricSet implements MetricSet {
  readonly scope: string;
  readonly labelNames: readonly string[];
  readonly instruments: Instrument[];
  isRetold = false;
  rows: (readonly string[])[];
  readonly dead = new Set<number>();
  readonly generations: number[] = [];
  overflowSeries = -1;
  startMs: number | undefined;
  #changes = 0;
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
      isSlots: instrument.isSlots ?? false,
      column: () => instrument.column,
      ...(instrument.exemplars && { exemplar: (series) => instrument.exemplars?.[series] }),
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
  /** A test changes what it likes without a word: everything may have changed. */
  get changes(): number {
    return ++this.#changes;
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
  const { rows, ...column } = makeRows(values.length, 1);
  values.forEach((value, series) => rows[series].cells.set([BigInt.asUintN(64, value)]));
  return { kind: "integer", signed: options.signed, ...column };
}

export function floats(values: readonly number[]): Column {
  const { rows, ...column } = makeRows(values.length, 1);
  values.forEach((value, series) => rows[series].floats.set([value]));
  return { kind: "float", ...column };
}

/** Counts per series, not cumulative, the last of each for +Inf. */
export function histograms(
  upperBounds: readonly number[],
  series: readonly { counts: readonly bigint[]; sum: number }[],
): HistogramColumn {
  const buckets = upperBounds.length + 1;
  const { rows, ...column } = makeRows(series.length, buckets + 1);
  series.forEach(({ counts, sum }, index) => {
    rows[index].cells.set(counts);
    rows[index].floats.set([sum], buckets);
  });
  return { kind: "histogram", upperBounds: Float64Array.from(upperBounds), ...column };
}

/** Cells of other columns on both sides, as in a store, with values that no test expects. */
const FOREIGN_CELLS_BEFORE = 2;
const FOREIGN_CELLS_BEHIND = 1;
const FOREIGN_VALUE = 0x5a5a_5a5a_5a5a_5a5an;

function makeRows(count: number, cellCount: number) {
  const stride = FOREIGN_CELLS_BEFORE + cellCount + FOREIGN_CELLS_BEHIND;
  const cells = new BigUint64Array(count * stride).fill(FOREIGN_VALUE);
  const floats = new Float64Array(cells.buffer);
  const offset = FOREIGN_CELLS_BEFORE;
  const rows = Array.from({ length: count }, (_, row) => {
    const first = row * stride + offset;
    return {
      cells: cells.subarray(first, first + cellCount),
      floats: floats.subarray(first, first + cellCount),
    };
  });
  return { rows, cells, floats, stride, offset };
}

/** All chunks of a page as one string; fails on invalid UTF-8. */
export function pageText(chunks: Iterable<Uint8Array>): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
