/** Tells in words, now and then, what the metrics tell in numbers: events lost, maps full, series over a limit. */

import { type Losses, lossTexts } from "./lost_samples.ts";
import { countOf } from "../text/mod.ts";
import type { Runner } from "./runner.ts";

const INTERVAL_MS = 10_000;
/** What goes on is told at longer and longer intervals. */
const MAX_INTERVAL_MS = 600_000;

/** One trouble of one data source: how far it has been told, and when it may be told again. */
class Told<T> {
  value: T;
  #dueMs = -Infinity;
  #intervalMs = INTERVAL_MS;

  constructor(value: T) {
    this.value = value;
  }

  /** @returns what was told before if it is time to tell what is now; undefined if not. */
  next(value: T, { isNew, nowMs }: { isNew: boolean; nowMs: number }): T | undefined {
    if (!isNew || nowMs < this.#dueMs) return undefined;
    // A pause of that length is the end of a trouble.
    const isOld = nowMs < this.#dueMs + this.#intervalMs;
    this.#intervalMs = isOld ? Math.min(2 * this.#intervalMs, MAX_INTERVAL_MS) : INTERVAL_MS;
    this.#dueMs = nowMs + this.#intervalMs;
    const before = this.value;
    this.value = value;
    return before;
  }
}

/** What has been told of one data source. */
interface Troubles {
  readonly lost: Told<Losses>;
  readonly fullReads: Told<number>;
  readonly overflowed: Told<number>;
}

/** Watches data sources that are counted. Ownership: `stop()` ends the timer. */
export class LossWatch {
  readonly #troubles = new Map<Runner, Troubles>();
  readonly #warn: (text: string, hint?: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(runners: readonly Runner[], warn: (text: string, hint?: string) => void) {
    for (const runner of runners) {
      this.#troubles.set(runner, {
        lost: new Told({}),
        fullReads: new Told(0),
        overflowed: new Told(0),
      });
    }
    this.#warn = warn;
    this.#timer = setInterval(() => this.tell(performance.now()), INTERVAL_MS);
  }

  /** Tells what is new since it was told: one sentence for each data source and trouble, if it is time for it. */
  tell(nowMs: number): void {
    for (const [runner, told] of this.#troubles) {
      const { name } = runner.spec;
      const lost = runner.lost?.() ?? {};
      const isNew = lossTexts(lost, told.lost.value).length > 0;
      const before = told.lost.next(lost, { isNew, nowMs });
      if (before !== undefined) {
        for (const text of lossTexts(lost, before)) this.#warn(`data source ${name}: ${text}`);
      }
      this.#tellFullMap(runner, { told: told.fullReads, nowMs });
      this.#tellOverflow(runner, { told: told.overflowed, nowMs });
    }
  }

  #tellFullMap(
    { spec, mapStats }: Runner,
    { told, nowMs }: { told: Told<number>; nowMs: number },
  ): void {
    const { fullReads = 0, maxEntries = 0 } = mapStats?.() ?? {};
    if (told.next(fullReads, { isNew: fullReads > told.value, nowMs }) === undefined) return;
    this.#warn(
      `data source ${spec.name}: its map was full with ${maxEntries} entries: ` +
        "the gadget cannot count what is new; give the map more room",
    );
  }

  #tellOverflow(
    { spec, collector }: Runner,
    { told, nowMs }: { told: Told<number>; nowMs: number },
  ): void {
    const overflowed = collector?.memory.stats.overflowed ?? 0;
    const before = told.next(overflowed, { isNew: overflowed > told.value, nowMs });
    if (before === undefined) return;
    const limit = collector?.plan.seriesLimit ?? 0;
    const isOwn = (collector?.memory.stats.live ?? 0) >= limit;
    const name = isOwn ? "metrics.limit" : "--metrics-limit";
    this.#warn(
      `data source ${spec.name}: ${
        countOf(overflowed - before, "update")
      } went to the series otel_metric_overflow="true": ` +
        (isOwn ? `it has ${limit} series` : "all data sources together have no place for more"),
      `choose keys with fewer values, let idle series leave with metrics.ttl, or raise ${name}`,
    );
  }

  /** Tells the rest. Before the data sources are closed. */
  stop(): void {
    clearInterval(this.#timer);
    this.tell(Infinity);
  }
}
