/** What the main thread and the ingest thread tell each other. */

import type { PollerHandle } from "../../ffi/mod.ts";
import type { Field } from "../decode/mod.ts";
import type { StackMapHandle } from "../enrich/mod.ts";
import type { MetricsPlan, SeriesMemoryHandle } from "../metrics/mod.ts";
import type { EventBufferHandle, RowPipeHandle } from "../sources/mod.ts";

/** One event buffer and what to make of it. */
export interface IngestSource {
  readonly plan: MetricsPlan;
  readonly memory: SeriesMemoryHandle;
  readonly buffer: EventBufferHandle;
  /** Where records go that are shown. */
  readonly pipe?: RowPipeHandle;
  /** All fields of the data source, for filters on text. */
  readonly fields: readonly Field[];
}

/** The only message to the thread. Cloned, except for what is shared. */
export interface IngestJob {
  readonly poller: PollerHandle;
  /** Words at the indices below. */
  readonly control: SharedArrayBuffer;
  readonly sources: readonly IngestSource[];
  /** The gadget's map of kernel stacks, for filters on their text. */
  readonly stackMap?: StackMapHandle;
  /** The libbpf that the user has chosen: the thread opens its own. */
  readonly libbpf?: string;
}

/** Number of the last request to catch up. */
export const REQUESTED = 0;
/** Number of the last request that was met: all that was in the buffers when it came is counted. */
export const DONE = 1;
/** 1 when the thread is to take what is left and end. */
export const STOP = 2;
export const CONTROL_WORDS = 3;

/** What the thread posts. */
export type IngestReply =
  /** The loops are compiled: events will be taken as they come. */
  | { readonly kind: "ready" }
  /** Nothing is read any more. */
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: unknown };
