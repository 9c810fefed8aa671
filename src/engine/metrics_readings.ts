/** Readings of metrics at intervals, for operators that want them so. */

import type { MetricSet } from "../metrics/mod.ts";
import { type MetricsWish, snapshotMetrics } from "../operators/mod.ts";
import { FetchTimer } from "./fetch_timer.ts";
import type { Runner } from "./runner.ts";

/** One subscription of metrics. Starts at once. Ownership: `stop()` ends it. */
export class MetricsReadings {
  readonly #wish: MetricsWish;
  readonly #runners: readonly Runner[];
  readonly #onError: (dataSource: string, error: unknown) => void;
  readonly #timer: FetchTimer;

  /** @param runners those that the wish is about. */
  constructor(
    wish: MetricsWish,
    { runners, onError }: {
      readonly runners: readonly Runner[];
      readonly onError: (dataSource: string, error: unknown) => void;
    },
  ) {
    this.#wish = wish;
    this.#runners = runners;
    this.#onError = onError;
    const { intervalMs, count = 0 } = wish.schedule;
    this.#timer = new FetchTimer({ intervalMs, count }, {
      fetch: () => this.#readIfRoom(),
      onError: (error) => onError(runners[0].spec.name, error),
    });
  }

  /** Resolves after the last reading of a limited schedule. */
  get finished(): Promise<void> {
    return this.#timer.finished;
  }

  /** True if a runner has its end with the last reading. */
  ends(runner: Runner): boolean {
    return (this.#wish.schedule.count ?? 0) > 0 && this.#runners.includes(runner);
  }

  /** What finds no room now is in the next reading. */
  async #readIfRoom(): Promise<void> {
    if (this.#wish.subscriber.isFull?.() !== true) await this.#read();
  }

  async #read(): Promise<void> {
    for (const runner of this.#runners) {
      try {
        await runner.refresh();
      } catch (error) {
        this.#onError(runner.spec.name, error);
      }
    }
    const sets = setsOf(this.#runners);
    await this.#wish.subscriber.take({ sets, snapshot: () => snapshotMetrics(sets) });
  }

  /** No reading begins any more. Resolves when the one under way is done. */
  stop(): Promise<void> {
    return this.#timer.stop();
  }

  /** The last one, once all is counted; none if the schedule is exhausted. */
  async readLast(): Promise<void> {
    if (!this.#timer.isExhausted) await this.#read();
  }
}

/** Metrics of those that are collected. */
export function setsOf(runners: readonly Runner[]): MetricSet[] {
  return runners.flatMap(({ collector }) => collector === undefined ? [] : [collector.set]);
}
