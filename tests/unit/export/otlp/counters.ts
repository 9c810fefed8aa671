/** Counters that a test counts, and what collectors got of them. */

import type { Received } from "../../../e2e/otlp_receiver.ts";
import { type FakeMetricSet, integers, singleSet } from "../fake_metric_set.ts";

/** A counter that a test may count. */
export class Counters {
  readonly #column;
  readonly set: FakeMetricSet;
  produced = 0n;

  constructor(names: readonly string[], scope = "g/ds") {
    this.#column = integers(names.map(() => 0n));
    this.set = singleSet(scope, {
      rows: names.map((name) => [name]),
      instrument: { type: "counter", name: "count", column: this.#column },
    });
  }

  put(series: number, value: bigint): void {
    const { cells, stride, offset } = this.#column;
    cells[series * stride + offset] = value;
  }

  add(series: number, count: bigint): void {
    const { cells, stride, offset } = this.#column;
    cells[series * stride + offset] += count;
    this.produced += count;
  }
}

/** All values of a metric, added up. */
export function sumOf(received: Received, metric = "count"): bigint {
  return received.pointsOf(metric).reduce((total, { value }) => total + BigInt(value ?? 0), 0n);
}
