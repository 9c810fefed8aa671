/** Decides how a data source runs: what is collected, what is shown, and how it is read. */

import type { BpfMap } from "../../ffi/mod.ts";
import type { FilterTerm } from "../decode/mod.ts";
import { UnsupportedError } from "../errors.ts";
import {
  type DataSourceSpec,
  MAP_TYPE,
  type MetricRoles,
  metricRoles,
  parseDurationMs,
} from "../gadget/mod.ts";
import { generateIngest } from "../metrics/mod.ts";
import { IteratorReader, PerfBuffer, RingBuffer, RowPipe } from "../sources/mod.ts";
import type { AttachedProgram } from "./attach_programs.ts";
import { type Collector, countHere, type CountingCollector, createCollector } from "./collector.ts";
import { CountedTracer } from "./counted_tracer.ts";
import { iteratorFetch } from "./fetch_iterator.ts";
import { mapFetch } from "./fetch_map.ts";
import { FetchRunner } from "./fetch_runner.ts";
import { type Losses, lossTexts, LOST_SAMPLES_SUFFIX, LostSamples } from "./lost_samples.ts";
import { MapSource } from "./map_source.ts";
import type { FetchSchedule, Formatters, RunOptions } from "./run_options.ts";
import type { Runner, Viewer } from "./runner.ts";
import { TracerRunner } from "./tracer_runner.ts";

/** What a runner is made from. */
export interface RunnerContext {
  readonly gadget: string;
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: readonly AttachedProgram[];
  readonly formatters: Formatters;
  readonly filter: readonly FilterTerm[];
  readonly options: RunOptions;
  /** Takes what a fetch on a timer throws. */
  readonly onError: (error: unknown) => void;
}

/** Room of the pipe to the terminal, in buffers: a record as large as the buffer must fit. */
const PIPE_PART = 2;
const DEFAULT_MAP_SCHEDULE: FetchSchedule = { intervalMs: 1000, count: 0 };
const DEFAULT_ITER_SCHEDULE: FetchSchedule = { intervalMs: 0, count: 1 };

/** True if the metrics of a data source are collected. */
export function isCollected(spec: DataSourceSpec, options: RunOptions): boolean {
  return hasMetrics(metricRoles(spec)) &&
    ((options.metrics && !isRefused(spec)) || isPrinted(spec, options));
}

/** Makes the runner; undefined if nobody wants the data source. */
export function createRunner(spec: DataSourceSpec, context: RunnerContext): Runner | undefined {
  const { formatters, options } = context;
  const roles = metricRoles(spec);
  const rows = options.display.rowView(spec, formatters, scheduleOf(spec, options));
  const view = isPrinted(spec, options) ? undefined : rows;
  if (options.metrics && !hasMetrics(roles) && !isRefused(spec)) {
    options.warn(
      `data source ${spec.name} has no metrics: annotate a field, for example ` +
        `--annotate ${spec.name}:metrics.implicit-counter.name=events`,
    );
  }
  const wanted = isCollected(spec, options);
  const { write, isFull, room } = options.display;
  const viewers = view === undefined ? [] : [{ view, write, isFull, room }];
  const parts = { ...context, spec, viewers, roles: wanted ? roles : undefined };
  const isOfUse = wanted || view !== undefined || options.isAttachable === true;
  switch (spec.origin.kind) {
    case "tracer":
      return createTracer(parts, spec.origin.map);
    case "mapiter":
      return isOfUse ? createMap(parts, spec.origin.map) : undefined;
    case "iter":
      return isOfUse ? createIter(parts, spec.origin.programs) : undefined;
  }
}

function isPrinted(spec: DataSourceSpec, options: RunOptions): boolean {
  return spec.annotations["metrics.print"] === "true" && options.display.draws(spec);
}

function isRefused(spec: DataSourceSpec): boolean {
  return spec.annotations["metrics.collect"] === "false";
}

function hasMetrics(roles: MetricRoles): boolean {
  return roles.values.length > 0 || roles.implicitCounter !== undefined;
}

type Parts = RunnerContext & {
  readonly spec: DataSourceSpec;
  readonly viewers: readonly Viewer[];
  /** Absent if nothing is collected. */
  readonly roles: MetricRoles | undefined;
};

function collect(parts: Parts): Collector | undefined {
  const { spec, roles, filter, formatters, options, gadget } = parts;
  if (roles === undefined) return undefined;
  const scope = options.scopes.get(spec.name) ?? `${gadget}/${spec.name}`;
  const { seriesBudget: budget } = options;
  return createCollector(spec, { scope, roles, filter, formatters, budget });
}

function collectHere(
  parts: Parts,
  map: { followsTotals: boolean; skipZeroEntries: boolean },
): CountingCollector | undefined {
  const { spec, formatters, options } = parts;
  const collector = collect(parts);
  if (collector === undefined) return undefined;
  const counting = countHere(collector, { formatters, ...map });
  options.dumpCode?.(spec.name, counting.ingest.source);
  return counting;
}

function findMap(parts: Parts, name: string): BpfMap {
  const map = parts.maps.get(name);
  if (map === undefined) throw new Error(`BUG: loaded object has no map ${name}`);
  return map;
}

function createTracer(parts: Parts, mapName: string): Runner {
  const { spec, viewers, filter, formatters, options } = parts;
  const map = findMap(parts, mapName);
  const counter = parts.maps.get(mapName + LOST_SAMPLES_SUFFIX);
  const isRing = map.type === MAP_TYPE.ringBuffer;
  const lostSamples = counter && new LostSamples(counter, isRing ? "buffer_full" : "not_sent");
  const collector = collect(parts);
  const show = { viewers, filter, formatters };
  const warn = (text: string, hint?: string) =>
    options.warn(`data source ${spec.name}: ${text}`, hint);
  const countsLosses = counter !== undefined;
  const buffer = isRing ? new RingBuffer(map) : new PerfBuffer(map, { warn, countsLosses });
  if (collector === undefined) {
    const onLost = (losses: Losses, told: Losses) =>
      lossTexts(losses, told).forEach((text) => warn(text));
    return new TracerRunner(spec, { buffer, lostSamples, ...show, onLost });
  }
  const { plan, memory: { handle: memory } } = collector;
  const atomicHeaders = !memory.isStronglyOrdered;
  options.dumpCode?.(
    spec.name,
    generateIngest(plan, { snapshot: false, skipZeroEntries: false, atomicHeaders }),
  );
  const onLost = (losses: Losses, told: Losses) => {
    const count = (losses.buffer_full ?? 0) - (told.buffer_full ?? 0);
    if (count === 0) return;
    warn(`${count} rows left out: they came faster than they can be shown; all were counted`);
  };
  const isWatched = viewers.length > 0;
  const pipe = isWatched || options.isAttachable === true
    ? new RowPipe(PIPE_PART * buffer.handle.sizeBytes)
    : undefined;
  if (pipe !== undefined) pipe.isOpen = isWatched;
  return new CountedTracer(spec, {
    buffer,
    lostSamples,
    collector,
    pipe,
    shown: pipe && new TracerRunner(spec, { buffer: pipe, ...show, onLost }),
    source: { plan, memory, buffer: buffer.handle, pipe: pipe?.handle, fields: spec.fields },
  });
}

function createMap(parts: Parts, mapName: string): Runner {
  const { spec, viewers, filter, formatters, options } = parts;
  const source = new MapSource(findMap(parts, mapName), spec);
  if (source.reducerSource !== undefined) {
    options.dumpCode?.(`${spec.name}, values of the CPUs`, source.reducerSource);
  }
  const drain = drainsMap(parts, source);
  const collector = collectHere(parts, {
    followsTotals: !drain,
    skipZeroEntries: !source.canDrain,
  });
  // A map that nobody looks at is read when its metrics are asked for.
  const viewSchedule = scheduleOf(spec, parts.options);
  return new FetchRunner(spec, {
    fetch: mapFetch(source, { collector, drain }),
    collector,
    viewers,
    schedule: viewers.length > 0 || drain ? viewSchedule : undefined,
    viewSchedule,
    isDrained: drain,
    fetchesAtEnd: spec.annotations["ebpf.map.flush-on-stop"] !== "false",
    mapStats: () => source.stats,
    free: () => source.close(),
    filter,
    formatters,
    onLeftOut: leftOutWarning(parts),
    onError: parts.onError,
  });
}

function drainsMap({ spec, viewers }: Parts, source: MapSource): boolean {
  const asked = spec.annotations["ebpf.map.read"];
  if (asked === "drain" && !source.canDrain) {
    throw new UnsupportedError(
      `Cannot drain data source ${spec.name}: the elements of an array map cannot be taken out`,
      { feature: "ebpf.map.read: drain on arrays", hint: "use ebpf.map.read: snapshot" },
    );
  }
  if (asked !== undefined) return asked === "drain";
  return viewers.length > 0 && source.canDrain;
}

function createIter(parts: Parts, programs: readonly string[]): Runner {
  const { spec, viewers, filter, formatters } = parts;
  const links = parts.programs
    .filter(({ program }) => programs.includes(program.name))
    .flatMap(({ links }) => links);
  const collector = collectHere(parts, { followsTotals: false, skipZeroEntries: false });
  const viewSchedule = scheduleOf(spec, parts.options);
  const reader = new IteratorReader(links, spec.recordSizeBytes);
  return new FetchRunner(spec, {
    fetch: iteratorFetch(reader, { collector, rowSizeBytes: spec.recordSizeBytes }),
    collector,
    viewers,
    schedule: viewers.length === 0 ? undefined : viewSchedule,
    viewSchedule,
    isDrained: false,
    fetchesAtEnd: spec.annotations["ebpf.iter.fetch-on-stop"] === "true",
    filter,
    formatters,
    onLeftOut: leftOutWarning(parts),
    onError: parts.onError,
  });
}

function leftOutWarning({ spec, options }: Parts): (count: number) => void {
  return (count) =>
    options.warn(`data source ${spec.name}: ${count} rows left out: nobody reads them`);
}

/** When a map or iterator is read for who sees it: the command line wins over the annotations, which win over the default. */
export function scheduleOf(spec: DataSourceSpec, options: RunOptions): FetchSchedule {
  const standard = spec.origin.kind === "iter" ? DEFAULT_ITER_SCHEDULE : DEFAULT_MAP_SCHEDULE;
  const interval = spec.annotations["fetch-interval"];
  const count = spec.annotations["fetch-count"];
  return {
    ...standard,
    ...(interval !== undefined && { intervalMs: parseDurationMs(interval) ?? standard.intervalMs }),
    ...(count !== undefined && { count: Number(count) }),
    ...options.schedule(spec.name),
  };
}
