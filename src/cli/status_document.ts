/** What `/api/v1/status` tells of the gadgets that run, and of kmeter. */

import {
  type GadgetStats,
  type OwnMetricsSnapshot,
  readProcessStats,
  readStatusMetrics,
  type StatusDataSource,
  type StatusDocument,
  type StatusGadget,
} from "../export/mod.ts";
import type { LocalGadget } from "../operators/mod.ts";
import { limitsInForce } from "./limits.ts";
import { programVersion } from "./version.ts";

/** What there is to tell. */
export interface StatusSubject {
  /** With when they began, on the clock of {@linkcode uptimeSeconds}. Asked again: gadgets stop while they are read. */
  readonly running: ReadonlyMap<LocalGadget, number>;
  /** Gadgets that should run and do not. */
  readonly down: readonly GadgetStats[];
  /** Put before the names of metrics. */
  readonly prefix?: string;
}

/** Of this process. It never goes back. */
export function uptimeSeconds(): number {
  return performance.now() / 1000;
}

/** Reads everything as it is now. A gadget that stops meanwhile is left out. */
export async function statusDocument(subject: StatusSubject): Promise<StatusDocument> {
  const gadgets: StatusGadget[] = [];
  let seriesPlaces: StatusDocument["seriesPlaces"];
  for (const [running, startedSeconds] of [...subject.running]) {
    if (!subject.running.has(running)) continue;
    const snapshot = running.stats();
    const dataSources = await readDataSources(running, { snapshot, subject });
    if (dataSources === undefined) continue;
    gadgets.push(runningGadget(running, { startedSeconds, snapshot, dataSources }));
    // All have the same budget.
    seriesPlaces = snapshot.seriesPlaces;
  }
  const { residentBytes, cpuSeconds, openFds, maxFds } = readProcessStats();
  return {
    version: programVersion(),
    time: new Date().toISOString(),
    uptimeSeconds: uptimeSeconds(),
    process: {
      residentBytes,
      cpuSeconds,
      openFds,
      maxFds: maxFds === Infinity ? "+Inf" : maxFds,
    },
    ...(seriesPlaces && { seriesPlaces }),
    gadgets: [...gadgets, ...subject.down.map(downGadget)],
    limits: limitsInForce(),
  };
}

/** Undefined if the gadget stopped meanwhile. */
async function readDataSources(
  running: LocalGadget,
  { snapshot, subject }: { snapshot: OwnMetricsSnapshot; subject: StatusSubject },
): Promise<StatusDataSource[] | undefined> {
  const dataSources: StatusDataSource[] = [];
  for (
    const { gadget: _, dataSource: name, series, labelsTruncated: __, ...stats } of snapshot
      .dataSources
  ) {
    const set = running.metrics.setOf(name);
    const isServed = () => subject.running.has(running);
    const read = set === undefined
      ? { metrics: [], labelNames: [], series: [] }
      : await readStatusMetrics(set, { prefix: subject.prefix, isServed });
    if (read === undefined) return undefined;
    dataSources.push({ name, ...stats, seriesCount: series, ...read });
  }
  return dataSources;
}

function runningGadget(
  { name, description }: LocalGadget,
  { startedSeconds, snapshot, dataSources }: {
    startedSeconds: number;
    snapshot: OwnMetricsSnapshot;
    dataSources: readonly StatusDataSource[];
  },
): StatusGadget {
  return {
    name,
    isUp: true,
    startedSeconds,
    reason: "",
    description,
    isCaughtUp: snapshot.consumers.every(({ isUp }) => isUp),
    programs: snapshot.programs.map(({ gadget: _, program: name, ...program }) => ({
      name,
      ...program,
    })),
    dataSources,
  };
}

function downGadget({ gadget: name, reason = "" }: GadgetStats): StatusGadget {
  return {
    name,
    isUp: false,
    reason,
    description: "",
    isCaughtUp: true,
    programs: [],
    dataSources: [],
  };
}
