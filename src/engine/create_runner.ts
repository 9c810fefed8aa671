/** Decides how a data source runs: what is collected, what is shown, and how it is read. */

import type { BpfMap } from "../../ffi/mod.ts";
import { UnsupportedError } from "../errors.ts";
import { type DataSourceSpec, MAP_TYPE, metricRoles, parseDurationMs } from "../gadget/mod.ts";
import { generateIngest } from "../metrics/mod.ts";
import type { PlannedSource } from "../operators/mod.ts";
import { IteratorReader, PerfBuffer, RingBuffer, RowPipe } from "../sources/mod.ts";
import type { AttachedProgram } from "./attach_programs.ts";
import { type Collector, countHere, type CountingCollector, createCollector } from "./collector.ts";
import { CountedTracer } from "./counted_tracer.ts";
import { iteratorFetch } from "./fetch_iterator.ts";
import { mapFetch } from "./fetch_map.ts";
import { FetchRunner } from "./fetch_runner.ts";
import { type Losses, lossTexts, LOST_SAMPLES_SUFFIX, LostSamples } from "./lost_samples.ts";
import { MapSource } from "./map_source.ts";
import type { FetchSchedule, RunOptions } from "./run_options.ts";
import type { Runner } from "./runner.ts";
import { TracerRunner } from "./tracer_runner.ts";

/** What a runner is made from. */
export interface RunnerContext {
  readonly gadget: string;
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: readonly AttachedProgram[];
  readonly options: RunOptions;
  /** Takes what a fetch on a timer throws. */
  readonly onError: (error: unknown) => void;
}

/** Room of the pipe to the terminal, in buffers: a record as large as the buffer must fit. */
const PIPE_PART = 2;
const DEFAULT_MAP_SCHEDULE: FetchSchedule = { intervalMs: 1000, count: 0 };
const DEFAULT_ITER_SCHEDULE: FetchSchedule = { intervalMs: 0, count: 1 };

/** Makes the runner; undefined if nobody wants the data source. */
export function createRunner(source: PlannedSource, context: RunnerContext): Runner | undefined {
  const { spec, subscribers, isCollected } = source;
  const parts = { ...context, source, spec };
  const isOfUse = isCollected || subscribers.length > 0 || context.options.isAttachable === true;
  switch (spec.origin.kind) {
    case "tracer":
      return createTracer(parts, spec.origin.map);
    case "mapiter":
      return isOfUse ? createMap(parts, spec.origin.map) : undefined;
    case "iter":
      return isOfUse ? createIter(parts, spec.origin.programs) : undefined;
  }
}

type Parts = RunnerContext & { readonly source: PlannedSource; readonly spec: DataSourceSpec };

function collect(parts: Parts): Collector | undefined {
  const { spec, source: { isCollected, filter, formatters }, options, gadget } = parts;
  if (!isCollected) return undefined;
  const scope = options.scopes.get(spec.name) ?? `${gadget}/${spec.name}`;
  const { seriesBudget: budget } = options;
  return createCollector(spec, { scope, roles: metricRoles(spec), filter, formatters, budget });
}

function collectHere(
  parts: Parts,
  map: { followsTotals: boolean; skipZeroEntries: boolean },
): CountingCollector | undefined {
  const { spec, source: { formatters }, options } = parts;
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
  const { spec, source: { subscribers, filter, formatters }, options } = parts;
  const map = findMap(parts, mapName);
  const counter = parts.maps.get(mapName + LOST_SAMPLES_SUFFIX);
  const isRing = map.type === MAP_TYPE.ringBuffer;
  const lostSamples = counter && new LostSamples(counter, isRing ? "buffer_full" : "not_sent");
  const collector = collect(parts);
  const show = { subscribers, filter, formatters };
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
  const isWatched = subscribers.length > 0;
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
  const { spec, source: { subscribers, filter, formatters }, options } = parts;
  const map = new MapSource(findMap(parts, mapName), spec);
  if (map.reducerSource !== undefined) {
    options.dumpCode?.(`${spec.name}, values of the CPUs`, map.reducerSource);
  }
  const drain = drainsMap(parts, map);
  const collector = collectHere(parts, {
    followsTotals: !drain,
    skipZeroEntries: !map.canDrain,
  });
  // A map that nobody looks at is read when its metrics are asked for.
  const lateSchedule = scheduleOf(spec, options);
  return new FetchRunner(spec, {
    fetch: mapFetch(map, { collector, drain }),
    collector,
    subscribers,
    schedule: subscribers.length > 0 || drain ? lateSchedule : undefined,
    lateSchedule,
    isDrained: drain,
    fetchesAtEnd: spec.annotations["ebpf.map.flush-on-stop"] !== "false",
    mapStats: () => map.stats,
    free: () => map.close(),
    filter,
    formatters,
    onLeftOut: leftOutWarning(parts),
    onError: parts.onError,
  });
}

function drainsMap({ spec, source: { subscribers } }: Parts, map: MapSource): boolean {
  const asked = spec.annotations["ebpf.map.read"];
  if (asked === "drain" && !map.canDrain) {
    throw new UnsupportedError(
      `Cannot drain data source ${spec.name}: the elements of an array map cannot be taken out`,
      { feature: "ebpf.map.read: drain on arrays", hint: "use ebpf.map.read: snapshot" },
    );
  }
  if (asked !== undefined) return asked === "drain";
  return subscribers.length > 0 && map.canDrain;
}

function createIter(parts: Parts, programs: readonly string[]): Runner {
  const { spec, source: { subscribers, filter, formatters } } = parts;
  const links = parts.programs
    .filter(({ program }) => programs.includes(program.name))
    .flatMap(({ links }) => links);
  const collector = collectHere(parts, { followsTotals: false, skipZeroEntries: false });
  const lateSchedule = scheduleOf(spec, parts.options);
  const reader = new IteratorReader(links, spec.recordSizeBytes);
  return new FetchRunner(spec, {
    fetch: iteratorFetch(reader, { collector, rowSizeBytes: spec.recordSizeBytes }),
    collector,
    subscribers,
    schedule: subscribers.length === 0 ? undefined : lateSchedule,
    lateSchedule,
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
