/** What tracers read from: a ring buffer, or a perf event array that looks like one. */

import type { EventReader } from "./event_reader.ts";
import { type PerfHandle, PerfReader } from "./perf_buffer.ts";
import { type RingHandle, RingReader } from "./ring_buffer.ts";
import { type RowPipeHandle, RowPipeReader } from "./row_pipe.ts";

/** Where a buffer lies in this process. */
export type EventBufferHandle = RingHandle | PerfHandle | RowPipeHandle;

/** A buffer of events. Ownership: `close()` unmaps it; its reader must have ended. */
export interface EventBuffer {
  /** Become readable when there are records and the reader rests. */
  readonly fds: readonly number[];
  /** What a reader is made from, in this thread or another; can be posted. */
  readonly handle: EventBufferHandle;
  close(): void;
}

/** Opens a buffer's one reader, in the thread that is to read. */
export function openEventReader(handle: EventBufferHandle): EventReader {
  switch (handle.kind) {
    case "ring":
      return new RingReader(handle);
    case "perf":
      return new PerfReader(handle);
    case "pipe":
      return new RowPipeReader(handle);
  }
}
