/** What a dashboard is made of. */

/** One metric as Prometheus has it. */
export interface ShownMetric {
  /** Family name; that of a counter ends in `_total`. */
  readonly name: string;
  /** The instrument's own name, for people. */
  readonly title: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** UCUM, may be "". */
  readonly unit: string;
  /** May be "". */
  readonly description: string;
}

/** The metrics of one data source, which have the same labels. */
export interface MetricSource {
  readonly name: string;
  /** Value of `otel_scope_name`. */
  readonly scope: string;
  readonly labels: readonly string[];
  readonly metrics: readonly ShownMetric[];
  /** Where records come from: events, map entries, or an iterator. */
  readonly origin: "tracer" | "mapiter" | "iter";
}

/** One gadget. */
export interface GadgetMetrics {
  readonly name: string;
  readonly description: string;
  readonly sources: readonly MetricSource[];
}
