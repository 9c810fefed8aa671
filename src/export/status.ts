/** What `/api/v1/status` tells, as it is in JSON. */

import type { InstrumentType } from "../metrics/mod.ts";

/** Integers that a double cannot hold, NaN and the infinities are strings. */
export type StatusNumber = number | string;

/** A metric of a data source. */
export interface StatusMetric {
  /** As on `/metrics`. */
  readonly name: string;
  readonly type: InstrumentType;
  /** UCUM, may be "". */
  readonly unit: string;
  /** May be "". */
  readonly help: string;
  /** Of a histogram: inclusive upper bounds, ascending, without +Inf. */
  readonly bounds?: readonly number[];
}

/** A histogram's values. */
export interface StatusHistogram {
  /** Not cumulative; the last one is above all bounds. */
  readonly counts: readonly StatusNumber[];
  /** 0 if the gadget does not measure it. */
  readonly sum: StatusNumber;
}

/** One series. */
export interface StatusSeries {
  /** Of this series alone, as long as its data source runs: another key has another one. */
  readonly id: string;
  /** Values over 200 characters are cut and end in `…`. */
  readonly labels: Readonly<Record<string, string>>;
  /** In the order of the metrics. */
  readonly values: readonly (StatusNumber | StatusHistogram)[];
}

/** The metrics of a data source. */
export interface StatusMetrics {
  readonly metrics: readonly StatusMetric[];
  readonly labelNames: readonly string[];
  /** Those that counted most by the first metric, in that order. Equal labels are not added up. */
  readonly series: readonly StatusSeries[];
}

/** A data source: counts since it started. */
export interface StatusDataSource extends StatusMetrics {
  readonly name: string;
  readonly eventsReceived: number;
  /** By reason. */
  readonly eventsLost: Readonly<Record<string, number>>;
  /** By reason. */
  readonly decodeErrors: Readonly<Record<string, number>>;
  readonly seriesCount: number;
  /** Absent if nothing is collected. */
  readonly seriesLimit?: number;
  /** Updates that were counted in the overflow series. */
  readonly seriesOverflow: number;
  /** Present if it reads a map. */
  readonly map?: {
    readonly entries: number;
    readonly maxEntries: number;
    readonly fetchDurationSeconds: number;
    readonly fetchErrors: number;
    /** Absent where a full map refuses nothing. */
    readonly fullReads?: number;
  };
}

/** An eBPF program. */
export interface StatusProgram {
  readonly name: string;
  readonly section: string;
  readonly isAttached: boolean;
  /** Why it is not attached, or "". */
  readonly reason: string;
  /** Absent where the kernel does not measure it. */
  readonly runTimeSeconds?: number;
  readonly runCount?: number;
}

/** A gadget. */
export interface StatusGadget {
  readonly name: string;
  readonly isUp: boolean;
  /** When it began, on the clock of `uptimeSeconds`: another one of its name counts anew. Absent if it does not run. */
  readonly startedSeconds?: number;
  /** Why it does not run, or "". */
  readonly reason: string;
  /** "" if it does not run. */
  readonly description: string;
  /** False if events wait to be counted for over a second. */
  readonly isCaughtUp: boolean;
  readonly programs: readonly StatusProgram[];
  readonly dataSources: readonly StatusDataSource[];
}

/** All of it. */
export interface StatusDocument {
  readonly version: string;
  /** By the wall clock, as RFC 3339 has it. */
  readonly time: string;
  /** Of kmeter. It only grows: rates are made of it. */
  readonly uptimeSeconds: number;
  /** What cannot be read is absent. */
  readonly process: {
    readonly residentBytes?: number;
    readonly cpuSeconds?: number;
    readonly openFds?: number;
    readonly maxFds?: StatusNumber;
  };
  /** Places for series of all gadgets; absent before anything runs. */
  readonly seriesPlaces?: { readonly taken: number; readonly limit: number };
  readonly gadgets: readonly StatusGadget[];
  readonly limits: readonly {
    readonly subject: string;
    readonly value: string;
    readonly effect: string;
  }[];
}
