/**
 * The operator interface: whoever takes part in a gadget's run, from the texts of fields to the HTTP page.
 *
 * Operators of kmeter's own run in the main thread and are given {@linkcode LocalGadget}; those of others
 * run in a thread of their own (`operator_thread.ts`) and are given the part of it that crosses threads,
 * {@linkcode Gadget}.
 */

import type { Field, FieldFormatter, FieldValue, FilterTerm, RecordBytes } from "../decode/mod.ts";
import type { StackMapHandle } from "../enrich/mod.ts";
import type { OwnMetricsSnapshot } from "../export/mod.ts";
import type { Annotations, DataSourceOrigin, DataSourceSpec } from "../gadget/mod.ts";
import type { MetricSet } from "../metrics/mod.ts";
import type { JsonObject } from "../view/mod.ts";
import type { MetricSnapshot } from "./metric_snapshot.ts";

/** A flag of an operator. */
export interface OperatorParam {
  /** The flag without dashes. It begins with the operator's name, unless it is one of kmeter's own. */
  readonly name: string;
  /** One letter, without dash. */
  readonly short?: string;
  /** What stands for the value in help; absent for switches. */
  readonly value?: string;
  /** All values there are, or the usual ones. */
  readonly choices?: readonly string[];
  readonly description: string;
}

/** Takes part in gadgets' runs. One for all gadgets of a process. */
export interface Operator<G extends Gadget = LocalGadget> {
  /** Lower case, digits and dashes. Unique among those of a run. */
  readonly name: string;
  /** Low ones come first, at each step of the lifecycle. */
  readonly priority: number;
  readonly params?: readonly OperatorParam[];
  /**
   * Called for each gadget, before it is loaded: here the operator says what it wants of data sources and metrics.
   * @returns undefined if it has nothing to do with the gadget.
   * @throws what keeps the gadget from starting, such as a UsageError about a param.
   */
  instantiate(
    gadget: G,
  ): OperatorInstance | undefined | Promise<OperatorInstance | undefined>;
  /** Called once, when no gadget runs any more. */
  close?(): void | Promise<void>;
}

/** An operator's part in one gadget's run. What a step throws ends the run. */
export interface OperatorInstance {
  /** The gadget is loaded; its programs are not attached yet. */
  preStart?(): void | Promise<void>;
  /**
   * The gadget runs, in the place of another one if there is `previous`: this operator's instance for that, which
   * runs on if this throws.
   */
  start?(previous?: OperatorInstance): void | Promise<void>;
  /**
   * Programs are detached and all is counted and handed on; metrics can still be read. Called in any case, also
   * for a gadget that could not start.
   */
  stop?(): void | Promise<void>;
}

/** A gadget as every operator sees it. */
export interface Gadget {
  /** What the run is called; several runs of one gadget differ in it. */
  readonly name: string;
  readonly description: string;
  readonly dataSources: readonly DataSource[];
  readonly metrics: Metrics;
  /** Text of one of the operator's params; undefined if it was not given. A switch that is on has "true". */
  param(name: string): string | undefined;
  /** Tells the user something, with what to do. */
  warn(text: string, hint?: string): void;
}

/** One kind of rows that a gadget makes. */
export interface DataSource {
  readonly name: string;
  /** `tracer` for events, `mapiter` for entries of a map, `iter` for what iterator programs list. */
  readonly kind: DataSourceOrigin["kind"];
  readonly annotations: Annotations;
  readonly fields: readonly Field[];
  /** A field's value by its full name; 64-bit integers are bigints. @throws RangeError if there is no such field. */
  value(field: string, record: RecordBytes): FieldValue;
  /** A field as a column shows it. @throws RangeError if there is no such field. */
  text(field: string, record: RecordBytes): string;
  /** The whole record, as `-o json` shows it. */
  toObject(record: RecordBytes): JsonObject;
  /** Wants rows: what passes the filters. A map of which somebody wants rows is drained at each read. */
  subscribe(subscriber: Subscriber): void;
}

/** Takes rows. What it throws is an error of its operator. */
export interface Subscriber {
  /** Events since the last call, in order, or all rows of one read. Lent until it returns: copy what must outlive that. */
  take(records: Iterable<RecordBytes>): void | Promise<void>;
  /** True while it wants no more: then more should wait, or be left out. */
  isFull?(): boolean;
  /** Waits for room. @returns false if there will be none soon. */
  room?(): Promise<boolean>;
}

/** The metrics of a gadget. */
export interface Metrics {
  /** Has the data sources counted, and wants the values at intervals; the last ones come when the gadget stops. */
  subscribe(subscriber: MetricsSubscriber, schedule: MetricsSchedule): void;
}

/** Takes metrics. */
export interface MetricsSubscriber {
  take(reading: MetricsReading): void | Promise<void>;
  /** True while it wants no more: then a reading is left out, except for the last one. */
  isFull?(): boolean;
}

/** When metrics are read, and which. */
export interface MetricsSchedule {
  /** From one reading to the next. */
  readonly intervalMs: number;
  /** Readings at most; absent or 0 for no limit. */
  readonly count?: number;
  /** Names of data sources; absent for all. */
  readonly dataSources?: readonly string[];
}

/** Metrics that are up to date. */
export interface MetricsReading {
  /** Copies all values. Cost: what the series are. */
  snapshot(): MetricSnapshot[];
}

/** A gadget as operators of the main thread see it. */
export interface LocalGadget extends Gadget {
  readonly dataSources: readonly LocalDataSource[];
  readonly metrics: LocalMetrics;
  /** The gadget's map of kernel stacks, if it has one. Not before `preStart`. */
  readonly stackMap: StackMapHandle | undefined;
  /** Text of a kernel stack by its id in the gadget's stack map; the id if it has none. Not before `preStart`. */
  kernelStack(id: number): string;
  /** What kmeter tells about the gadget in its own metrics. Not before `start`. */
  stats(): OwnMetricsSnapshot;
}

/** A data source where it can be shaped. */
export interface LocalDataSource extends DataSource {
  readonly spec: DataSourceSpec;
  /** When a map or iterator is read for who wants its rows; without meaning for events. */
  readonly schedule: ReadSchedule;
  /** Text of fields that have a format: what operators before this one have set. */
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  /** What a record must match to be shown, and counted. */
  readonly filter: readonly FilterTerm[];
  setText(field: Field, formatter: FieldFormatter): void;
  addFilter(terms: readonly FilterTerm[]): void;
  /** Wants metrics of it. @returns false if there is nothing to count. */
  collect(): boolean;
}

/** How often a map or iterator is read. */
export interface ReadSchedule {
  /** 0 for at once, once. */
  readonly intervalMs: number;
  /** Reads at most; 0 for no limit. */
  readonly count: number;
}

/** Metrics where they lie. */
export interface LocalMetrics extends Metrics {
  subscribe(subscriber: LocalMetricsSubscriber, schedule: MetricsSchedule): void;
  /** Of all data sources that are collected and fed. Live. Empty before `start`. */
  readonly sets: readonly MetricSet[];
  /** Of one data source; undefined if it is not among them. */
  setOf(dataSource: string): MetricSet | undefined;
  /** Brings all up to date. @returns what could not be read, by data source. */
  refresh(): Promise<ReadonlyMap<string, unknown>>;
}

/** Takes metrics in the main thread. */
export interface LocalMetricsSubscriber {
  take(reading: LocalReading): void | Promise<void>;
  isFull?(): boolean;
}

/** Metrics that are up to date, where they lie. */
export interface LocalReading extends MetricsReading {
  readonly sets: readonly MetricSet[];
}
