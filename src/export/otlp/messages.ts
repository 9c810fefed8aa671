/** What the main thread and the thread that pushes tell each other: plain data, copied or handed over. */

import type { InstrumentType } from "../../metrics/mod.ts";
import type { ExporterOptions } from "./exporter_options.ts";
import type { ResourceAttributes } from "./resource.ts";

/** How cells of an instrument are read. */
export type CellKind = "unsigned" | "signed" | "float" | "histogram";

/** One metric of a set. */
export interface InstrumentDescription {
  readonly type: InstrumentType;
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: CellKind;
  /** Inclusive upper bounds of a histogram; empty otherwise. */
  readonly upperBounds: Float64Array;
  /** True if the buckets are slots that double: 0, 1, 2 to 3, 4 to 7, … */
  readonly isLog2: boolean;
}

/** What stays the same of a set. */
export interface SetDescription {
  readonly scope: string;
  readonly labelNames: readonly string[];
  readonly instruments: readonly InstrumentDescription[];
  readonly isRetold: boolean;
  /** When all values were zero, in ms since the epoch. */
  readonly startMs: number;
}

/** Values of a set's live series. Positions count from 0 in all of its arrays. */
export interface SetSnapshot {
  /** Number of the set. */
  readonly set: number;
  /** With the first snapshot of the set. */
  readonly description?: SetDescription;
  readonly series: Uint32Array<ArrayBuffer>;
  readonly generations: Uint32Array<ArrayBuffer>;
  /** Cells of all instruments, row by row; doubles by their bits. */
  readonly cells: BigUint64Array<ArrayBuffer>;
  /** Label values that were not sent before, with the position of the series. */
  readonly labels: readonly (readonly [position: number, values: readonly string[]])[];
  /** Position of the series that collects what is over the limit; -1 if it is not there. */
  readonly overflowPosition: number;
}

/** Values of one of kmeter's own metrics. */
export interface OwnMetricValues {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

/** All that is pushed at one moment. */
export interface Push {
  /** Index of the exporter. */
  readonly exporter: number;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly sets: readonly SetSnapshot[];
  readonly own: readonly OwnMetricValues[];
  /** True if it is the last one of these sets: none can come later in its place. */
  readonly isLast: boolean;
}

/** To the thread. */
export type OtlpOrder =
  | {
    readonly kind: "configure";
    readonly exporters: readonly ExporterOptions[];
    readonly resource: ResourceAttributes;
    readonly version: string;
    readonly prefix: string | undefined;
    /** Since when kmeter's own metrics count, in ms since the epoch. */
    readonly startMs: number;
  }
  | { readonly kind: "push"; readonly push: Push }
  /** Sets that are not pushed any more. */
  | { readonly kind: "forget"; readonly sets: readonly number[] }
  /** Sends what waits, and ends. */
  | { readonly kind: "finish"; readonly withinMs: number };

/** What an exporter has done so far. Data points, but for what says otherwise. */
export interface ExporterCounts {
  readonly sent: number;
  /** The collector refused the request, or said that it has left points out. */
  readonly refused: number;
  /** There was no more time to send them when kmeter ended, or no room when their gadget did. */
  readonly unsent: number;
  readonly queued: number;
  /** Requests that failed, by reason; they were sent again if that had a chance. */
  readonly failures: Readonly<Record<string, number>>;
  /** True if no more requests are taken: enough wait. */
  readonly isFull: boolean;
}

/** From the thread. */
export type OtlpReport =
  | { readonly kind: "ready" }
  /** The push is in the queue: the next one may come. */
  | { readonly kind: "taken"; readonly exporter: number }
  | { readonly kind: "counts"; readonly exporter: number; readonly counts: ExporterCounts }
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "finished" };
