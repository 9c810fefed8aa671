/** Pushes the metrics of gadgets that run. */

import type { RunningGadget } from "../engine/mod.ts";
import {
  type ExporterOptions,
  type ExporterStats,
  OtlpPush,
  type OwnMetrics,
  type OwnMetricValues,
  type PushSource,
  readHostFacts,
  resourceAttributes,
} from "../export/mod.ts";
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

/** The exporters of a process. Ownership: `close()` ends them. */
export class MetricsPush {
  readonly #options: MetricsPushOptions;
  readonly #push: OtlpPush;
  readonly #sources = new Map<RunningGadget, PushSource>();

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

  begin(): void {
    this.#push.begin(() => readOwn(this.#options.own));
  }

  /** @param exporters names of those that push its metrics; all if it is left out. */
  add(running: RunningGadget, exporters?: ReadonlySet<string>): void {
    const source = {
      sets: running.metricSets,
      startMs: running.startMs,
      exporters,
      refresh: async () => {
        for (const [dataSource, error] of await running.refresh()) {
          this.#options.warn(`data source ${dataSource}: ${describeError(error)}`);
        }
      },
    };
    this.#sources.set(running, source);
    this.#push.add(source);
  }

  /** Pushes a gadget's metrics for the last time. They must be there until it resolves. */
  async remove(running: RunningGadget): Promise<void> {
    const source = this.#sources.get(running);
    this.#sources.delete(running);
    if (source !== undefined) await this.#push.remove(source);
  }

  /** The last push. */
  finish(): Promise<void> {
    return this.#push.finish();
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
