/** kmeter's own metrics as data points. They are named for Prometheus, and OTLP wants names without endings. */

import type { MetricHead } from "./_points.ts";
import type { RequestBatches } from "./_request_batches.ts";
import type { PointContext } from "./_set_points.ts";
import type { OwnMetricValues } from "./messages.ts";

const SCOPE = "kmeter";
const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ["_seconds", "s"],
  ["_bytes", "By"],
];

/** Since when a counter counts, and what has been told of it. */
interface Told {
  readonly startMs: number;
  value: number;
}

/** One exporter's view of the own metrics. */
export class OwnPoints {
  readonly #told = new Map<string, Told>();

  push(
    metrics: readonly OwnMetricValues[],
    context: PointContext & { readonly into: RequestBatches; readonly version: string },
  ): void {
    const { into, timeMs, previousMs, temporality, version } = context;
    const isDelta = temporality === "delta";
    into.scope({ name: SCOPE, version });
    for (const metric of metrics) {
      const isCounter = metric.type === "counter";
      into.metric(headOf(metric));
      for (const { labels, value } of metric.values) {
        const base = { kind: "number", attributes: Object.entries(labels) } as const;
        if (!isCounter) {
          into.point({ ...base, value, timeMs });
          continue;
        }
        const key = JSON.stringify([metric.name, labels]);
        let told = this.#told.get(key);
        if (told === undefined || value < told.value) {
          told = { startMs: previousMs, value: 0 };
          this.#told.set(key, told);
        }
        const delta = value - told.value;
        told.value = value;
        if (!isDelta) into.point({ ...base, value, startMs: told.startMs, timeMs });
        else if (delta > 0) into.point({ ...base, value: delta, startMs: previousMs, timeMs });
      }
    }
  }
}

/** Name and unit that a collector makes the name in Prometheus of again. */
export function headOf({ name, help, type }: OwnMetricValues): MetricHead {
  const stem = type === "counter" ? name.replace(/_total$/, "") : name;
  const [ending, unit] = UNITS.find(([ending]) => stem.endsWith(ending)) ?? ["", ""];
  return {
    name: stem.slice(0, stem.length - ending.length),
    description: help,
    unit,
    shape: type === "counter" ? "sum" : "gauge",
  };
}
