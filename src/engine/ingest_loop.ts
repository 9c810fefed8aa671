/** The ingest thread's work: drains event buffers and counts, until it is told to stop. */

import { BlockingPoller, readBootTimeMs, readWallTimeMs, useLibbpf } from "../../ffi/mod.ts";
import { compileIngest, type MetricsPlan, SeriesMemory, SeriesStore } from "../metrics/mod.ts";
import { openEventReader, type RingLease, RowPipeWriter } from "../sources/mod.ts";
import { type Drainable, drainRound, FIRST_PAUSE_MS } from "./drain_rhythm.ts";
import { DONE, type IngestJob, type IngestSource, REQUESTED, STOP } from "./ingest_job.ts";
import type { StackMapHandle } from "../enrich/mod.ts";
import type { Formatters } from "./run_options.ts";

/** Blocks the thread until the job is stopped. @param onReady called before the first event is taken. */
export async function runIngest(job: IngestJob, onReady: () => void): Promise<void> {
  if (job.libbpf !== undefined) useLibbpf(job.libbpf);
  const sources: Drainable[] = [];
  for (const source of job.sources) {
    sources.push(createDrain(source, await formattersFor(source, job.stackMap)));
  }
  const control = new Int32Array(job.control);
  const round = (sincePauseMs: number) => {
    const requested = Atomics.load(control, REQUESTED);
    const pauseMs = drainRound(sources, sincePauseMs);
    if (Atomics.exchange(control, DONE, requested) !== requested) Atomics.notify(control, DONE);
    return pauseMs;
  };
  onReady();
  const poller = new BlockingPoller(job.poller);
  const isStopped = () => Atomics.load(control, STOP) === 1;
  while (!isStopped()) {
    for (const source of sources) source.rest();
    poller.wait();
    let pauseMs = round(0);
    // Readable, and nothing to take: the first record is still being written.
    if (pauseMs === 0 && !isStopped()) {
      poller.pause(FIRST_PAUSE_MS);
      // A request that ended the pause is told by nothing else any more.
      pauseMs = round(0);
    }
    while (pauseMs > 0 && !isStopped()) {
      poller.pause(pauseMs);
      pauseMs = round(pauseMs);
    }
  }
  // One round takes one buffer's worth; nobody writes any more.
  while (round(0) > 0);
}

/** Filters on text need what enriches it, which is much to load for the others. */
async function formattersFor(
  { plan, fields }: IngestSource,
  stackMap: StackMapHandle | undefined,
): Promise<Formatters> {
  if (!needsFormatters(plan)) return new Map();
  const { createFormatters, hostEnvironment, KallsymsFile, kernelStackReader, readClocks } =
    await import("../enrich/mod.ts");
  // Closed with the thread, if no stack is ever named.
  const kernelStack = stackMap && kernelStackReader(stackMap, new KallsymsFile());
  return createFormatters(fields, hostEnvironment({ readClocks, kernelStack }));
}

function needsFormatters({ filter }: MetricsPlan): boolean {
  return filter.some(({ field }) => field.format !== undefined);
}

function createDrain(source: IngestSource, formatters: Formatters): Drainable {
  const { plan } = source;
  const memory = new SeriesMemory(plan, source.memory);
  const store = new SeriesStore(plan, memory);
  const ingest = compileIngest(plan, {
    store,
    formatters,
    skipZeroEntries: false,
    atomicHeaders: !source.memory.isStronglyOrdered,
  });
  const reader = openEventReader(source.buffer);
  const pipe = source.pipe && new RowPipeWriter(source.pipe);
  const count = (lease: RingLease) => ingest.ring(lease);
  const countAndHandOn = (lease: RingLease) => {
    const end = ingest.ring(lease);
    pipe?.write({ ...lease, end });
    return end;
  };
  const process = pipe === undefined ? count : countAndHandOn;
  return {
    sizeBytes: reader.sizeBytes,
    isPaced: reader.isPaced,
    drain: () => {
      if (plan.ttlMs > 0) store.nowMs = readBootTimeMs();
      if (plan.exemplar !== undefined) store.wallMs = readWallTimeMs();
      store.makeRoom();
      const consumed = reader.withLeases(process, reader.sizeBytes);
      memory.stats.lost = reader.lost;
      pipe?.flush();
      return consumed;
    },
    rest: () => reader.rest(),
  };
}
