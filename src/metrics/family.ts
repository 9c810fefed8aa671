/**
 * The read side of the metric engine: what exporters and the terminal see of a data source's metrics.
 *
 * Series are dense integers in `[0, seriesCount)`. A series may be dead (`isLive` false): skip it.
 *
 * Values lie in rows of 64-bit cells, one row a series. Another thread may be counting while they
 * are read: a cell is always whole if it is read by one access (`cells[i]`, `floats[i]`), never by
 * two 32-bit halves. The cells of one row are not read at one moment: a histogram may show a record
 * in its buckets that its sum does not have yet.
 */

import type { NativeBuckets } from "./native_buckets.ts";

/** Kind of a metric as OpenMetrics names them. */
export type InstrumentType = "counter" | "gauge" | "histogram";

/** Where an instrument's values lie: series s has its first cell at index `s * stride + offset`. */
export interface CellColumn {
  /** Both views show the same memory, so that a cell is an integer here and a double there. */
  readonly cells: BigUint64Array;
  readonly floats: Float64Array;
  /** Cells from one series to the next. */
  readonly stride: number;
  readonly offset: number;
}

/** Exact 64-bit integers, one cell in `cells`. */
export interface IntegerColumn extends CellColumn {
  readonly kind: "integer";
  /** Signed columns hold two's complement. */
  readonly signed: boolean;
}

/** Doubles, one cell in `floats`. */
export interface FloatColumn extends CellColumn {
  readonly kind: "float";
}

/**
 * Histograms: one cell in `cells` for the count of each bucket (not cumulative), `upperBounds.length`
 * + 1 of them, the last one for +Inf; behind them one in `floats` for the sum.
 */
export interface HistogramColumn extends CellColumn {
  readonly kind: "histogram";
  /** Inclusive upper bounds (`le`), ascending, without +Inf. */
  readonly upperBounds: Float64Array;
  /** Present if the buckets are those of a native histogram. */
  readonly native?: NativeBuckets;
}

export type Column = IntegerColumn | FloatColumn | HistogramColumn;

/** One metric of a data source. Names are OpenTelemetry instrument names, before translation. */
export interface Instrument {
  readonly type: InstrumentType;
  /** For example `count` or `proc.latency`; exporters translate it (`count_total`). */
  readonly name: string;
  /** HELP text, may be "". */
  readonly description: string;
  /** UCUM unit, may be "". */
  readonly unit: string;
  /** True for histograms whose buckets are the kernel's slots, counted there. */
  readonly isSlots?: boolean;
  /**
   * Current storage; has room for at least the set's `seriesCount` as it was before the call. Views
   * are replaced when rows are added: take it anew for each piece of a scrape, and never keep it
   * across an `await`.
   */
  column(): Column;
  /**
   * A late event of a series of a counter or histogram, if the gadget names an exemplar field.
   * Cost: decodes and allocates.
   */
  exemplar?(series: number): Exemplar | undefined;
}

/** One event that a value counts. */
export interface Exemplar {
  /** Attribute name before translation. */
  readonly label: string;
  /** Text as of a label value. */
  readonly text: string;
  /** What the event added, or what a histogram observed; may be NaN. */
  readonly value: number;
  readonly unixMs: number;
}

/** All metrics of one data source: one label set per series, one column per instrument. */
export interface MetricSet {
  /** Instrumentation scope, `<gadget>/<datasource>` or what `--otel-metrics-name` says. */
  readonly scope: string;
  /** Attribute names of the keys in order, before translation. */
  readonly labelNames: readonly string[];
  readonly instruments: readonly Instrument[];
  /**
   * Unix time in ms since when counters and histograms count: series of generation 0 began at zero
   * then. Absent if nobody knows.
   */
  readonly startMs?: number;
  /**
   * True if every read tells all values anew, as iterators do: then another generation of a series is no
   * sign that its key has begun at zero.
   */
  readonly isRetold?: boolean;
  /** Number of series ever allotted; dead ones included. Grows, never shrinks. */
  readonly seriesCount: number;
  /** False for series that must not be exported (their map key is gone, or never used). */
  isLive(series: number): boolean;
  /**
   * True only for the series that collects what is over the cardinality limit: it has the single
   * label `otel_metric_overflow="true"` instead of the keys.
   */
  isOverflow(series: number): boolean;
  /**
   * Label values of a series, in the order of `labelNames`, valid Unicode, not escaped, of at most
   * `MAX_LABEL_BYTES`. Two series may have the same: exporters add them up.
   * Cost: decodes and allocates; callers keep what they make of it.
   */
  labelValues(series: number): string[];
  /**
   * Changes when a series that died is allotted to another key. Odd while that is going on in
   * another thread: such a series is not live. Whoever joins labels and values takes it before he reads
   * them and again behind: if it has changed, or was odd, what he read does not belong together.
   */
  generation(series: number): number;
  /** While it stays the same, no series has come or been allotted anew. */
  readonly changes: number;
}
