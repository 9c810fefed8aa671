/** The `kmeter_*` and `process_*` metrics and how a snapshot fills them. */

import type { Counter, Gauge, Registry } from "prom-client";
import type {
  DataSourceStats,
  OwnMetricsSnapshot,
  ProgramStats,
  PushStats,
} from "./own_metrics_snapshot.ts";
import type { ProcessStats } from "./process_stats.ts";

export type PromClient = typeof import("./_prom_client.ts");

/** Every own metric, by its role. */
export interface MetricTable {
  readonly buildInfo: Gauge;
  readonly gadgetUp: Gauge;
  readonly eventsReceived: Counter;
  readonly eventsLost: Counter;
  readonly consumerUp: Gauge;
  readonly decodeErrors: Counter;
  readonly series: Gauge;
  readonly seriesLimit: Gauge;
  readonly seriesOverflow: Counter;
  readonly labelsTruncated: Counter;
  readonly processSeries: Gauge;
  readonly processSeriesLimit: Gauge;
  readonly mapEntries: Gauge;
  readonly mapMaxEntries: Gauge;
  readonly mapFullReads: Counter;
  readonly mapFetchDuration: Gauge;
  readonly mapFetchErrors: Counter;
  readonly attached: Gauge;
  readonly runTime: Counter;
  readonly runCount: Counter;
  readonly pushSent: Counter;
  readonly pushDropped: Counter;
  readonly pushQueued: Gauge;
  readonly pushFailures: Counter;
  readonly pushSkipped: Counter;
  readonly operatorUp: Gauge;
  readonly operatorRows: Counter;
  readonly operatorLostRows: Counter;
  readonly scrapeDuration: Gauge;
  readonly scrapeErrors: Counter;
  readonly connectionsCut: Counter;
  readonly cpu: Counter;
  readonly resident: Gauge;
  readonly virtual: Gauge;
  readonly openFds: Gauge;
  readonly maxFds: Gauge;
  readonly startTime: Gauge;
}

const SOURCE = ["gadget", "datasource"];
const PROGRAM = ["gadget", "program"];

/** Makes all metrics in `registry`. `collect` runs before the first of them is read. */
export function createMetrics(
  client: PromClient,
  { registry, collect }: { registry: Registry; collect: () => void },
): MetricTable {
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new client.Gauge({ name, help, labelNames, registers });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new client.Counter({ name, help, labelNames, registers });
  return {
    buildInfo: new client.Gauge({
      name: "kmeter_build_info",
      help: "Always 1, with the versions in use as labels.",
      labelNames: ["version", "deno", "libbpf"],
      registers,
      collect,
    }),
    gadgetUp: gauge(
      "kmeter_gadget_up",
      "1 if the gadget runs; 0 if it could not start or has failed.",
      ["gadget"],
    ),
    ...sourceMetrics(gauge, counter),
    ...programMetrics(gauge, counter),
    ...pushMetrics(gauge, counter),
    ...operatorMetrics(gauge, counter),
    ...scrapeMetrics(gauge, counter),
    ...processMetrics(gauge, counter),
  };
}

type MakeGauge = (name: string, help: string, labelNames?: string[]) => Gauge;
type MakeCounter = (name: string, help: string, labelNames?: string[]) => Counter;

function sourceMetrics(gauge: MakeGauge, counter: MakeCounter) {
  return {
    eventsReceived: counter(
      "kmeter_events_received_total",
      "Records taken from the kernel; entries of a map that is read in place count with every read.",
      SOURCE,
    ),
    eventsLost: counter(
      "kmeter_events_lost_total",
      "Records the kernel could not hand over, by reason.",
      [...SOURCE, "reason"],
    ),
    consumerUp: gauge(
      "kmeter_consumer_up",
      "1 if all events that were in the buffers are counted; 0 if that takes over a second: the numbers are old.",
      ["gadget"],
    ),
    decodeErrors: counter(
      "kmeter_decode_errors_total",
      "Records taken but not understood, by reason.",
      [...SOURCE, "reason"],
    ),
    series: gauge("kmeter_series", "Live series of the data source.", SOURCE),
    seriesLimit: gauge("kmeter_series_limit", "Series that the data source may have.", SOURCE),
    seriesOverflow: counter(
      "kmeter_series_overflow_total",
      "Updates that went to the overflow series because of a cardinality limit.",
      SOURCE,
    ),
    labelsTruncated: counter(
      "kmeter_labels_truncated_total",
      "Series with a label value that was cut.",
      SOURCE,
    ),
    processSeries: gauge(
      "kmeter_process_series",
      "Series of all data sources that count towards the limit: live ones, and those that may return.",
    ),
    processSeriesLimit: gauge(
      "kmeter_process_series_limit",
      "Series of all data sources together at most.",
    ),
    mapEntries: gauge("kmeter_map_entries", "Entries in the map at its latest read.", SOURCE),
    mapMaxEntries: gauge("kmeter_map_max_entries", "Entries the map has room for.", SOURCE),
    mapFullReads: counter(
      "kmeter_map_full_reads_total",
      "Reads that found the map full: the gadget's updates with new keys fail.",
      SOURCE,
    ),
    mapFetchDuration: gauge(
      "kmeter_map_fetch_duration_seconds",
      "Duration of the latest complete read of the map.",
      SOURCE,
    ),
    mapFetchErrors: counter(
      "kmeter_map_fetch_errors_total",
      "Reads of the map that failed.",
      SOURCE,
    ),
  };
}

function programMetrics(gauge: MakeGauge, counter: MakeCounter) {
  return {
    attached: gauge(
      "kmeter_program_attached",
      "1 if the eBPF program is attached; else 0, and the label reason says why.",
      [...PROGRAM, "section", "reason"],
    ),
    runTime: counter(
      "kmeter_program_run_time_seconds_total",
      "Time the eBPF program has run, if the kernel measures it.",
      PROGRAM,
    ),
    runCount: counter(
      "kmeter_program_run_count_total",
      "Times the eBPF program has run, if the kernel measures it.",
      PROGRAM,
    ),
  };
}

function pushMetrics(gauge: MakeGauge, counter: MakeCounter) {
  const labels = ["exporter"];
  return {
    pushSent: counter(
      "kmeter_otlp_sent_data_points_total",
      "Data points that the collector has taken.",
      labels,
    ),
    pushDropped: counter(
      "kmeter_otlp_dropped_data_points_total",
      "Data points that are lost: refused by the collector, or unsent when kmeter ended.",
      [...labels, "reason"],
    ),
    pushQueued: gauge(
      "kmeter_otlp_queued_data_points",
      "Data points that wait to be sent.",
      labels,
    ),
    pushFailures: counter(
      "kmeter_otlp_failed_requests_total",
      "Requests that failed, by reason; most are sent again.",
      [...labels, "reason"],
    ),
    pushSkipped: counter(
      "kmeter_otlp_skipped_pushes_total",
      "Pushes left out because enough waited to be sent; the next one covers their time.",
      labels,
    ),
  };
}

function operatorMetrics(gauge: MakeGauge, counter: MakeCounter) {
  const labels = ["operator"];
  return {
    operatorUp: gauge(
      "kmeter_operator_up",
      "1 if the operator takes part, 0 if it has failed.",
      labels,
    ),
    operatorRows: counter(
      "kmeter_operator_rows_total",
      "Rows that the operator has taken.",
      labels,
    ),
    operatorLostRows: counter(
      "kmeter_operator_lost_rows_total",
      "Rows left out because the operator was slow or had failed.",
      labels,
    ),
  };
}

function scrapeMetrics(gauge: MakeGauge, counter: MakeCounter) {
  return {
    scrapeDuration: gauge(
      "kmeter_scrape_duration_seconds",
      "Duration of the latest complete scrape, from request to last byte.",
    ),
    scrapeErrors: counter(
      "kmeter_scrape_errors_total",
      "Failures that left something out of a page, and scrapes refused or cut off, by stage.",
      ["stage"],
    ),
    connectionsCut: counter(
      "kmeter_http_connections_cut_total",
      "Connections closed to make room for others, or because a request or an answer took too long.",
      ["reason"],
    ),
  };
}

function processMetrics(gauge: MakeGauge, counter: MakeCounter) {
  return {
    cpu: counter("process_cpu_seconds_total", "User and system CPU time spent."),
    resident: gauge("process_resident_memory_bytes", "Resident memory size."),
    virtual: gauge("process_virtual_memory_bytes", "Virtual memory size."),
    openFds: gauge("process_open_fds", "Open file descriptors."),
    maxFds: gauge("process_max_fds", "Limit of open file descriptors."),
    startTime: gauge("process_start_time_seconds", "Start time since the Unix epoch."),
  };
}

/** Replaces all values but those of scrapes, connections and the build. */
export function refill(
  metrics: MetricTable,
  { snapshot, process }: { snapshot: OwnMetricsSnapshot; process: ProcessStats },
): void {
  const {
    buildInfo: _1,
    scrapeDuration: _2,
    scrapeErrors: _3,
    connectionsCut: _4,
    ...refilled
  } = metrics;
  for (const metric of Object.values(refilled)) metric.reset();
  for (const { gadget, isUp } of snapshot.gadgets) metrics.gadgetUp.set({ gadget }, isUp ? 1 : 0);
  for (const source of snapshot.dataSources) fillDataSource(metrics, source);
  fillOptional(metrics.processSeries, snapshot.seriesPlaces?.taken);
  fillOptional(metrics.processSeriesLimit, snapshot.seriesPlaces?.limit);
  for (const program of snapshot.programs) fillProgram(metrics, program);
  for (const { gadget, isUp } of snapshot.consumers) {
    metrics.consumerUp.set({ gadget }, isUp ? 1 : 0);
  }
  for (const push of snapshot.pushes ?? []) fillPush(metrics, push);
  for (const { operator, isUp, rows, lostRows } of snapshot.operators ?? []) {
    metrics.operatorUp.set({ operator }, isUp ? 1 : 0);
    metrics.operatorRows.inc({ operator }, rows);
    metrics.operatorLostRows.inc({ operator }, lostRows);
  }
  fillProcess(metrics, process);
}

function fillDataSource(metrics: MetricTable, source: DataSourceStats): void {
  const labels = { gadget: source.gadget, datasource: source.dataSource };
  metrics.eventsReceived.inc(labels, source.eventsReceived);
  for (const [reason, count] of Object.entries(source.eventsLost)) {
    metrics.eventsLost.inc({ ...labels, reason }, count);
  }
  for (const [reason, count] of Object.entries(source.decodeErrors)) {
    metrics.decodeErrors.inc({ ...labels, reason }, count);
  }
  metrics.series.set(labels, source.series);
  if (source.seriesLimit !== undefined) metrics.seriesLimit.set(labels, source.seriesLimit);
  metrics.seriesOverflow.inc(labels, source.seriesOverflow);
  metrics.labelsTruncated.inc(labels, source.labelsTruncated);
  if (source.map === undefined) return;
  metrics.mapEntries.set(labels, source.map.entries);
  metrics.mapMaxEntries.set(labels, source.map.maxEntries);
  if (source.map.fullReads !== undefined) metrics.mapFullReads.inc(labels, source.map.fullReads);
  metrics.mapFetchDuration.set(labels, source.map.fetchDurationSeconds);
  metrics.mapFetchErrors.inc(labels, source.map.fetchErrors);
}

function fillProgram(metrics: MetricTable, stats: ProgramStats): void {
  const labels = { gadget: stats.gadget, program: stats.program };
  const { section, reason } = stats;
  metrics.attached.set({ ...labels, section, reason }, stats.isAttached ? 1 : 0);
  if (stats.runTimeSeconds !== undefined) metrics.runTime.inc(labels, stats.runTimeSeconds);
  if (stats.runCount !== undefined) metrics.runCount.inc(labels, stats.runCount);
}

function fillPush(metrics: MetricTable, push: PushStats): void {
  const { exporter, sent, refused, unsent, queued, failures, skipped } = push;
  metrics.pushSent.inc({ exporter }, sent);
  metrics.pushDropped.inc({ exporter, reason: "refused" }, refused);
  metrics.pushDropped.inc({ exporter, reason: "unsent" }, unsent);
  metrics.pushQueued.set({ exporter }, queued);
  for (const [reason, count] of Object.entries(failures)) {
    metrics.pushFailures.inc({ exporter, reason }, count);
  }
  metrics.pushSkipped.inc({ exporter }, skipped);
}

function fillProcess(metrics: MetricTable, process: ProcessStats): void {
  if (process.cpuSeconds === undefined) metrics.cpu.remove();
  else metrics.cpu.inc(process.cpuSeconds);
  const gauges: [Gauge, number | undefined][] = [
    [metrics.resident, process.residentBytes],
    [metrics.virtual, process.virtualBytes],
    [metrics.openFds, process.openFds],
    [metrics.maxFds, process.maxFds],
    [metrics.startTime, process.startTimeSeconds],
  ];
  for (const [gauge, value] of gauges) fillOptional(gauge, value);
}

function fillOptional(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}
