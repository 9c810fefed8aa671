/** Tells in words, now and then, what the metrics tell in numbers: events lost, maps full. */

import type { Runner } from "./runner.ts";

const INTERVAL_MS = 10_000;

/** What has been told of one data source. */
interface Told {
  readonly lost: number;
  readonly fullReads: number;
}

/** Watches data sources that are counted. Ownership: `stop()` ends the timer. */
export class LossWatch {
  readonly #told = new Map<Runner, Told>();
  readonly #warn: (text: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(runners: readonly Runner[], warn: (text: string) => void) {
    for (const runner of runners) this.#told.set(runner, { lost: 0, fullReads: 0 });
    this.#warn = warn;
    this.#timer = setInterval(() => this.tell(), INTERVAL_MS);
  }

  /** Tells what is new since the last time: one sentence for each data source and trouble. */
  tell(): void {
    for (const [runner, told] of this.#told) {
      const { name } = runner.spec;
      const lost = runner.lost?.() ?? 0;
      if (lost > told.lost) {
        this.#warn(`data source ${name}: ${lost - told.lost} events lost: the buffer was full`);
      }
      const stats = runner.mapStats?.();
      const fullReads = stats?.fullReads ?? 0;
      if (stats !== undefined && fullReads > told.fullReads) {
        this.#warn(
          `data source ${name}: its map was full with ${stats.maxEntries} entries: ` +
            "the gadget cannot count what is new; give the map more room",
        );
      }
      this.#told.set(runner, { lost, fullReads });
    }
  }

  /** Tells the rest. Before the data sources are closed. */
  stop(): void {
    clearInterval(this.#timer);
    this.tell();
  }
}
