/** Tells in words, now and then, what the metrics tell in numbers: events lost, maps full, series over a limit. */

import { type Losses, lossTexts } from "./lost_samples.ts";
import type { Runner } from "./runner.ts";

const INTERVAL_MS = 10_000;

/** What has been told of one data source. */
interface Told {
  readonly lost: Losses;
  readonly fullReads: number;
  readonly overflowed: number;
}

/** Watches data sources that are counted. Ownership: `stop()` ends the timer. */
export class LossWatch {
  readonly #told = new Map<Runner, Told>();
  readonly #warn: (text: string, hint?: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(runners: readonly Runner[], warn: (text: string, hint?: string) => void) {
    for (const runner of runners) {
      this.#told.set(runner, { lost: {}, fullReads: 0, overflowed: 0 });
    }
    this.#warn = warn;
    this.#timer = setInterval(() => this.tell(), INTERVAL_MS);
  }

  /** Tells what is new since the last time: one sentence for each data source and trouble. */
  tell(): void {
    for (const [runner, told] of this.#told) {
      const { name } = runner.spec;
      const lost = runner.lost?.() ?? {};
      for (const text of lossTexts(lost, told.lost)) this.#warn(`data source ${name}: ${text}`);
      const stats = runner.mapStats?.();
      const fullReads = stats?.fullReads ?? 0;
      if (stats !== undefined && fullReads > told.fullReads) {
        this.#warn(
          `data source ${name}: its map was full with ${stats.maxEntries} entries: ` +
            "the gadget cannot count what is new; give the map more room",
        );
      }
      const overflowed = runner.collector?.memory.stats.overflowed ?? 0;
      if (overflowed > told.overflowed) this.#tellOverflow(runner, overflowed - told.overflowed);
      this.#told.set(runner, { lost, fullReads, overflowed });
    }
  }

  #tellOverflow({ spec, collector }: Runner, count: number): void {
    const limit = collector?.plan.seriesLimit ?? 0;
    const isOwn = (collector?.memory.stats.live ?? 0) >= limit;
    const name = isOwn ? "metrics.limit" : "--metrics-limit";
    this.#warn(
      `data source ${spec.name}: ${count} updates went to the series otel_metric_overflow="true": ` +
        (isOwn ? `it has ${limit} series` : "all data sources together have no place for more"),
      `choose keys with fewer values, let idle series leave with metrics.ttl, or raise ${name}`,
    );
  }

  /** Tells the rest. Before the data sources are closed. */
  stop(): void {
    clearInterval(this.#timer);
    this.tell();
  }
}
