/** What the engine knows of a running data source, whatever its origin. */

import type { DataSourceSpec } from "../gadget/mod.ts";
import type { RowView } from "../view/mod.ts";
import type { Collector } from "./collector.ts";
import type { Losses } from "./lost_samples.ts";
import type { MapReadStats } from "./map_source.ts";

/** Somebody who sees rows. */
export interface Viewer {
  readonly view: RowView;
  write(text: string): void;
  /** True while what was written finds no reader. */
  isFull(): boolean;
  /** Waits for room. @returns false if nobody takes anything. */
  room(): Promise<boolean>;
}

/** Rows on their way to a viewer. */
export interface Viewing {
  /** Resolves when there will be no more rows. */
  readonly finished: Promise<void>;
  /** Shows no more. Idempotent. */
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
  /** Takes and shows what is left of what comes on a timer; `refresh` still works. Idempotent. */
  end?(): Promise<void>;
  /** Shows rows to one more viewer from now on; present if the data source can. */
  show?(viewer: Viewer): Viewing;
  /** Waits for what is under way, takes and shows what is left, and frees everything. */
  close(): void | Promise<void>;
  /** For a start that fails: waits for what is under way and frees everything; nothing is read any more. */
  abandon(): void | Promise<void>;
}

/** A promise that stays open: events have no end of their own. */
export const NEVER: Promise<void> = new Promise(() => {});
