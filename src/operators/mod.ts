/** Operators: who takes part in a gadget's run. */

export { ENRICH_OPERATOR } from "./enrich_operator.ts";
export { EXEC_PARAMS } from "./_exec_operator.ts";
export { FILTER_OPERATOR, filterOf } from "./filter_operator.ts";
export {
  type HistogramSnapshot,
  type MetricSnapshot,
  type SeriesSnapshot,
  snapshotMetrics,
} from "./metric_snapshot.ts";
export { METRICS_OPERATOR } from "./metrics_operator.ts";
export type {
  DataSource,
  Gadget,
  LocalDataSource,
  LocalGadget,
  LocalMetrics,
  LocalReading,
  Metrics,
  MetricsReading,
  MetricsSchedule,
  MetricsSubscriber,
  Operator,
  OperatorInstance,
  OperatorParam,
  ReadSchedule,
  Subscriber,
} from "./operator.ts";
export {
  END_STEP_MS,
  MAX_WAITING_BYTES,
  operatorSource,
  OperatorThread,
  START_STEP_MS,
} from "./operator_thread.ts";
export { type GadgetHost, type MetricsWish, PlannedGadget } from "./planned_gadget.ts";
export { type KnownSource, PlannedSource } from "./planned_source.ts";
