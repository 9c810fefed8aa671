/** Events that the ingest thread counts, seen from the main thread. */

import type { DataSourceSpec } from "../gadget/mod.ts";
import type { Subscriber } from "../operators/mod.ts";
import type { EventBuffer, RowPipe } from "../sources/mod.ts";
import type { Collector } from "./collector.ts";
import type { IngestSource } from "./ingest_job.ts";
import { type Losses, type LostSamples, sumLosses } from "./lost_samples.ts";
import { NEVER, type Runner, type Subscription } from "./runner.ts";
import type { TracerRunner } from "./tracer_runner.ts";

/** Parts of a counted tracer. */
export interface CountedTracerOptions {
  readonly buffer: EventBuffer;
  readonly collector: Collector;
  readonly lostSamples?: LostSamples;
  /** What the ingest thread hands on, and who shows it; absent if nobody ever wants to see rows. */
  readonly shown?: TracerRunner;
  readonly pipe?: RowPipe;
  readonly source: IngestSource;
}

/** A data source over an event buffer that is counted. */
export class CountedTracer implements Runner {
  readonly spec: DataSourceSpec;
  readonly collector: Collector;
  readonly finished = NEVER;
  /** For the ingest thread, which must have ended before `close`. */
  readonly source: IngestSource;
  readonly shown: TracerRunner | undefined;
  readonly fds: readonly number[];
  readonly #options: CountedTracerOptions;

  constructor(spec: DataSourceSpec, options: CountedTracerOptions) {
    this.spec = spec;
    this.collector = options.collector;
    this.source = options.source;
    this.shown = options.shown;
    this.fds = options.buffer.fds;
    this.#options = options;
  }

  get received(): number {
    return this.collector.memory.stats.received;
  }

  lost(): Losses {
    return sumLosses(this.collector.memory.stats.lost, this.#options.lostSamples);
  }

  /** Shows what has been counted by now: rows and metrics say the same. */
  refresh(): void {
    this.shown?.refresh();
  }

  /** The ingest thread copies records only while somebody looks. */
  subscribe(subscriber: Subscriber): Subscription {
    const { shown, pipe } = this.#options;
    if (shown === undefined || pipe === undefined) return { finished: NEVER, stop: () => {} };
    const subscription = shown.subscribe(subscriber);
    pipe.isOpen = true;
    return {
      ...subscription,
      stop: () => {
        subscription.stop();
        pipe.isOpen = shown.isWatched;
      },
    };
  }

  close(): void {
    this.shown?.close();
    this.#options.buffer.close();
  }

  abandon(): void {
    this.close();
  }
}
