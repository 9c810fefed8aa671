/** What the engine knows of a running data source, whatever its origin. */

import type { DataSourceSpec } from "../gadget/mod.ts";
import type { Subscriber } from "../operators/mod.ts";
import type { Collector } from "./collector.ts";
import type { Losses } from "./lost_samples.ts";
import type { MapReadStats } from "./map_source.ts";

/** Rows on their way to a subscriber. */
export interface Subscription {
  /** Resolves when there will be no more rows. */
  readonly finished: Promise<void>;
  /** Hands on no more. Idempotent. */
  stop(): void;
}

/** One data source at work. */
export interface Runner {
  readonly spec: DataSourceSpec;
  /** Absent if nothing is collected. */
  readonly collector?: Collector;
  /** Records taken so far. */
  readonly received: number;
  /** Resolves when there will be no more records; never for events. */
  readonly finished: Promise<void>;
  /** Brings the metrics up to date; for what is read on demand. */
  refresh(): void | Promise<void>;
  /** Events that were lost so far; present if the data source can lose any. */
  lost?(): Losses;
  /** Present if the data source reads a map. */
  mapStats?(): MapReadStats;
  /** Takes and hands on what is left of what comes on a timer; `refresh` still works. Idempotent. */
  end?(): Promise<void>;
  /** Hands rows to one more subscriber from now on; present if the data source can. */
  subscribe?(subscriber: Subscriber): Subscription;
  /** Waits for what is under way, takes and hands on what is left, and frees everything. */
  close(): void | Promise<void>;
  /** For a start that fails: waits for what is under way and frees everything; nothing is read any more. */
  abandon(): void | Promise<void>;
}

/** A promise that stays open: events have no end of their own. */
export const NEVER: Promise<void> = new Promise(() => {});
