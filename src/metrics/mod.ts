/** The metric engine: plans, series and what turns records into them. Pure: no FFI, no clock. */

export type {
  CellColumn,
  Column,
  Exemplar,
  FloatColumn,
  HistogramColumn,
  Instrument,
  InstrumentType,
  IntegerColumn,
  MetricSet,
} from "./family.ts";
export { EntryStore } from "./entry_store.ts";
export type { Ingest, RingBatch, RowBatch } from "./ingest.ts";
export { RING_BUSY_BIT, RING_DISCARD_BIT, RING_HEADER_BYTES, RING_LENGTH_MASK } from "./ingest.ts";
export { compileIngest, generateIngest } from "./ingest_codegen.ts";
export type { CompiledIngest, GenerateOptions, IngestTarget } from "./ingest_codegen.ts";
export { interpretIngest } from "./ingest_interpret.ts";
export type { InterpreterTarget } from "./ingest_interpret.ts";
export type { NativeBuckets } from "./native_buckets.ts";
export { MAX_LABEL_BYTES } from "./_label_text.ts";
export { createMetricSet } from "./metric_set.ts";
export type { MetricSetOptions } from "./metric_set.ts";
export { perCpuStrideBytes, planPerCpu } from "./per_cpu.ts";
export type { PerCpuBatch, PerCpuMode, PerCpuPlan, PerCpuReducer } from "./per_cpu.ts";
export { compilePerCpu, generatePerCpu } from "./per_cpu_codegen.ts";
export type { CompiledPerCpu } from "./per_cpu_codegen.ts";
export { interpretPerCpu } from "./per_cpu_interpret.ts";
export { DEFAULT_BOUNDARIES, DEFAULT_SERIES_LIMIT, makePlan } from "./plan.ts";
export type {
  ExemplarPlan,
  InstrumentPlan,
  KeyPart,
  KeyPlan,
  MetricsPlan,
  PlanOptions,
  Storage,
} from "./plan.ts";
export { bucketCounts, histogramSum, readWhole, scalarValue, totalCount } from "./read_series.ts";
export { allocateSeriesBudget, DEFAULT_TOTAL_SERIES_LIMIT, SeriesBudget } from "./series_budget.ts";
export type { SeriesBudgetHandle } from "./series_budget.ts";
export { allocateSeriesMemory, MAX_SERIES, rowLayout, SeriesMemory } from "./series_memory.ts";
export type { SeriesMemoryHandle, SeriesStats } from "./series_memory.ts";
export { OVERFLOW_SERIES, SeriesStore } from "./series_store.ts";
