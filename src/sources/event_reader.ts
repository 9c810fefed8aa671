/** Makes the reader of a buffer. */

import type { EventBufferHandle, EventReader } from "./event_buffer.ts";
import { PerfReader } from "./perf_buffer.ts";
import { RingReader } from "./ring_buffer.ts";
import { RowPipeReader } from "./row_pipe.ts";

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
