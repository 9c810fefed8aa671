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
import { IteratorReader, PerfBuffer, RingBuffer } from "../sources/mod.ts";
import type { AttachedProgram } from "./attach_programs.ts";
import { type Collector, createCollector } from "./collector.ts";
import { iteratorFetch } from "./fetch_iterator.ts";
import { mapFetch } from "./fetch_map.ts";
import { FetchRunner } from "./fetch_runner.ts";
import { LOST_SAMPLES_SUFFIX, LostSamples } from "./lost_samples.ts";
import { MapSource } from "./map_source.ts";
import type { FetchSchedule, Formatters, RunOptions } from "./run_options.ts";
import type { Runner } from "./runner.ts";
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

const DEFAULT_MAP_SCHEDULE: FetchSchedule = { intervalMs: 1000, count: 0 };
const DEFAULT_ITER_SCHEDULE: FetchSchedule = { intervalMs: 0, count: 1 };

/** Makes the runner; undefined if nobody wants the data source. */
export function createRunner(spec: DataSourceSpec, context: RunnerContext): Runner | undefined {
  const { formatters, options } = context;
  const roles = metricRoles(spec);
  const isPrinted = roles.print && options.display.draws(spec);
  const isRefused = spec.annotations["metrics.collect"] === "false";
  const wanted = hasMetrics(roles) && ((options.metrics && !isRefused) || isPrinted);
  const rows = options.display.rowView(spec, formatters);
  const view = isPrinted ? undefined : rows;
  if (options.metrics && !hasMetrics(roles) && !isRefused) {
    options.warn(
      `data source ${spec.name} has no metrics: annotate a field, for example ` +
        `--annotate ${spec.name}:metrics.implicit-counter.name=events`,
    );
  }
  const parts = { ...context, spec, view, roles: wanted ? roles : undefined };
  switch (spec.origin.kind) {
    case "tracer":
      return createTracer(parts, spec.origin.map);
    case "mapiter":
      return wanted || view !== undefined ? createMap(parts, spec.origin.map) : undefined;
    case "iter":
      return wanted || view !== undefined ? createIter(parts, spec.origin.programs) : undefined;
  }
}

/** True for runners that the event pump drains. */
export function isTracerRunner(runner: Runner): runner is TracerRunner {
  return runner instanceof TracerRunner;
}

function hasMetrics(roles: MetricRoles): boolean {
  return roles.values.length > 0 || roles.implicitCounter !== undefined;
}

type Parts = RunnerContext & {
  readonly spec: DataSourceSpec;
  readonly view: ReturnType<RunOptions["display"]["rowView"]>;
  /** Absent if nothing is collected. */
  readonly roles: MetricRoles | undefined;
};

function collect(
  parts: Parts,
  map: { followsTotals: boolean; skipZeroEntries: boolean },
): Collector | undefined {
  const { spec, roles, filter, formatters, options, gadget } = parts;
  if (roles === undefined) return undefined;
  const scope = options.scopes.get(spec.name) ?? `${gadget}/${spec.name}`;
  const collector = createCollector(spec, { scope, roles, filter, formatters, ...map });
  options.dumpCode?.(spec.name, collector.ingest.source);
  return collector;
}

function findMap(parts: Parts, name: string): BpfMap {
  const map = parts.maps.get(name);
  if (map === undefined) throw new Error(`BUG: loaded object has no map ${name}`);
  return map;
}

function createTracer(parts: Parts, mapName: string): Runner {
  const { spec, view, filter, formatters, options } = parts;
  const map = findMap(parts, mapName);
  const counter = parts.maps.get(mapName + LOST_SAMPLES_SUFFIX);
  const lostSamples = counter === undefined ? undefined : new LostSamples(counter);
  const collector = collect(parts, { followsTotals: false, skipZeroEntries: false });
  const buffer = map.type === MAP_TYPE.ringBuffer ? new RingBuffer(map) : new PerfBuffer(map);
  const { write } = options.display;
  return new TracerRunner(spec, {
    buffer,
    lostSamples,
    collector,
    view,
    filter,
    formatters,
    write,
  });
}

function createMap(parts: Parts, mapName: string): Runner {
  const { spec, view, filter, formatters, options } = parts;
  const source = new MapSource(findMap(parts, mapName), spec);
  if (source.reducerSource !== undefined) {
    options.dumpCode?.(`${spec.name}, values of the CPUs`, source.reducerSource);
  }
  const drain = drainsMap(parts, source);
  const collector = collect(parts, {
    followsTotals: !drain,
    skipZeroEntries: !source.canDrain,
  });
  // A map that nobody looks at is read when its metrics are asked for.
  const schedule = view !== undefined || drain
    ? scheduleOf(parts, DEFAULT_MAP_SCHEDULE)
    : undefined;
  return new FetchRunner(spec, {
    fetch: mapFetch(source, { collector, drain }),
    collector,
    view,
    schedule,
    isDrained: drain,
    fetchesAtEnd: spec.annotations["ebpf.map.flush-on-stop"] !== "false",
    mapStats: () => source.stats,
    filter,
    formatters,
    write: options.display.write,
    onError: parts.onError,
  });
}

function drainsMap({ spec, view }: Parts, source: MapSource): boolean {
  const asked = spec.annotations["ebpf.map.read"];
  if (asked === "drain" && !source.canDrain) {
    throw new UnsupportedError(
      `Cannot drain data source ${spec.name}: the elements of an array map cannot be taken out`,
      { feature: "ebpf.map.read: drain on arrays", hint: "use ebpf.map.read: snapshot" },
    );
  }
  if (asked !== undefined) return asked === "drain";
  return view !== undefined && source.canDrain;
}

function createIter(parts: Parts, programs: readonly string[]): Runner {
  const { spec, view, filter, formatters, options } = parts;
  const links = parts.programs
    .filter(({ program }) => programs.includes(program.name))
    .flatMap(({ links }) => links);
  const collector = collect(parts, { followsTotals: false, skipZeroEntries: false });
  const reader = new IteratorReader(links, spec.recordSizeBytes);
  return new FetchRunner(spec, {
    fetch: iteratorFetch(reader, { collector, rowSizeBytes: spec.recordSizeBytes }),
    collector,
    view,
    schedule: view === undefined ? undefined : scheduleOf(parts, DEFAULT_ITER_SCHEDULE),
    isDrained: false,
    fetchesAtEnd: spec.annotations["ebpf.iter.fetch-on-stop"] === "true",
    filter,
    formatters,
    write: options.display.write,
    onError: parts.onError,
  });
}

/** The command line wins over the annotations, which win over the default. */
function scheduleOf({ spec, options }: Parts, standard: FetchSchedule): FetchSchedule {
  const interval = spec.annotations["fetch-interval"];
  const count = spec.annotations["fetch-count"];
  return {
    ...standard,
    ...(interval !== undefined && { intervalMs: parseDurationMs(interval) ?? standard.intervalMs }),
    ...(count !== undefined && { count: Number(count) }),
    ...options.schedule(spec.name),
  };
}
