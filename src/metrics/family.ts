/**
 * The read side of the metric engine: what exporters and the terminal see of a data source's metrics.
 *
 * Series are dense integers in `[0, seriesCount)`. A series may be dead (`isLive` false): skip it.
 * Integer values are exact 64-bit and lie in `Uint32Array` pairs, low word first, so that a scrape
 * formats them without BigInt while they fit 2^53.
 */

/** Kind of a metric as OpenMetrics names them. */
export type InstrumentType = "counter" | "gauge" | "histogram";

/** Exact 64-bit integers: series s has its low word at `words[2s]` and its high word at `words[2s+1]`. */
export interface IntegerColumn {
  readonly kind: "integer";
  /** Signed columns hold two's complement. */
  readonly signed: boolean;
  readonly words: Uint32Array;
}

/** Doubles: series s at `values[s]`. */
export interface FloatColumn {
  readonly kind: "float";
  readonly values: Float64Array;
}

/**
 * Histograms. Bucket b of series s has its count (not cumulative) at `counts[2(s·stride + b)]`, low
 * word first. `stride` = `upperBounds.length + 1`; the last bucket is +Inf. `sums[s]` is the sum.
 */
export interface HistogramColumn {
  readonly kind: "histogram";
  /** Inclusive upper bounds (`le`), ascending, without +Inf. */
  readonly upperBounds: Float64Array;
  readonly stride: number;
  readonly counts: Uint32Array;
  readonly sums: Float64Array;
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
  /**
   * Current storage. Arrays are replaced when they grow: take it anew for each scrape, and never
   * keep it across an `await`.
   */
  column(): Column;
}

/** All metrics of one data source: one label set per series, one column per instrument. */
export interface MetricSet {
  /** Instrumentation scope, `<gadget>/<datasource>` or what `--otel-metrics-name` says. */
  readonly scope: string;
  /** Attribute names of the keys in order, before translation. */
  readonly labelNames: readonly string[];
  readonly instruments: readonly Instrument[];
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
   * Label values of a series, in the order of `labelNames`, valid Unicode, not escaped.
   * Cost: decodes and allocates; callers keep what they make of it. A series that dies and is
   * allotted anew to another key gets a new `generation`.
   */
  labelValues(series: number): string[];
  generation(series: number): number;
}
