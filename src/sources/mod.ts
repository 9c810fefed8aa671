/** Where records come from: each source lends memory to a callback and takes it back. */

export { IteratorReader } from "./iterator.ts";
export type { IteratorBatch } from "./iterator.ts";
export { MapReader } from "./map_reader.ts";
export { type EventBuffer, type EventBufferHandle, openEventReader } from "./event_buffer.ts";
export type { EventReader, RingLease } from "./event_reader.ts";
export type { MapBatch } from "./map_batch.ts";
export { PerfBuffer } from "./perf_buffer.ts";
export { RingBuffer } from "./ring_buffer.ts";
export { RowPipe, type RowPipeHandle, RowPipeReader, RowPipeWriter } from "./row_pipe.ts";
