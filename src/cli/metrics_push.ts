/** Pushes a run's metrics. */

import {
  type ExporterOptions,
  type ExporterStats,
  OtlpPush,
  type OwnMetrics,
  type OwnMetricValues,
  readHostFacts,
  resourceAttributes,
} from "../export/mod.ts";
import type { LocalGadget, Operator } from "../operators/mod.ts";
import { describeError } from "./report_error.ts";
import { programVersion } from "./version.ts";

/** Parts of a {@linkcode MetricsPush}. */
export interface MetricsPushOptions {
  readonly exporters: readonly ExporterOptions[];
  readonly own: OwnMetrics;
  /** `--metrics-prefix`. */
  readonly prefix: string | undefined;
  readonly warn: (text: string) => void;
}

/** The exporters of a run. Ownership: `close()` ends them. */
export class MetricsPush {
  readonly #options: MetricsPushOptions;
  readonly #push: OtlpPush;

  /** Before anything is loaded: what is wrong with a certificate leaves nothing behind. */
  static async open(options: MetricsPushOptions): Promise<MetricsPush> {
    const { exporters, prefix, warn } = options;
    const version = programVersion();
    const environment = (name: string) => Deno.env.get(name);
    const resource = resourceAttributes(readHostFacts(), { version, environment });
    const push = await OtlpPush.open({ exporters, resource, version, prefix, warn });
    return new MetricsPush(options, push);
  }

  private constructor(options: MetricsPushOptions, push: OtlpPush) {
    this.#options = options;
    this.#push = push;
  }

  get stats(): readonly ExporterStats[] {
    return this.#push.stats;
  }

  /** Pushes while the gadget runs, and once more at its end. */
  get operator(): Operator {
    return {
      name: "otlp",
      priority: 95,
      instantiate: (gadget) => {
        // Nothing has been counted yet.
        const startMs = Date.now();
        return {
          start: () => this.#begin(gadget, startMs),
          stop: () => this.#push.finish(),
        };
      },
    };
  }

  #begin({ metrics }: LocalGadget, startMs: number): void {
    const { own, warn } = this.#options;
    this.#push.begin({
      sets: metrics.sets,
      startMs,
      refresh: async () => {
        for (const [dataSource, error] of await metrics.refresh()) {
          warn(`data source ${dataSource}: ${describeError(error)}`);
        }
      },
      own: () => readOwn(own),
    });
  }

  close(): void {
    this.#push.close();
  }
}

async function readOwn(own: OwnMetrics): Promise<OwnMetricValues[]> {
  const families = await own.read();
  return families.flatMap(({ name, help, type, values }): OwnMetricValues[] => {
    if (type !== "counter" && type !== "gauge") return [];
    const plain = values.map(({ labels, value }) => ({
      value,
      labels: Object.fromEntries(
        Object.entries(labels).map(([label, text]) => [label, String(text)]),
      ),
    }));
    return [{ name, help, type, values: plain }];
  });
}
