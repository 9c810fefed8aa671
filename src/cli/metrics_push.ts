/** Pushes the metrics of gadgets that run. */

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
import type { LocalGadget, Operator, OperatorInstance } from "../operators/mod.ts";
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
  readonly #sources = new Map<OperatorInstance, PushSource>();

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

  /**
   * Pushes while gadgets run, and once more at their end. It ends before the page does: what kmeter says of the
   * gadget goes along.
   * @param exporters names of those that push; all if they are left out.
   */
  operator(exporters?: ReadonlySet<string>): Operator {
    return {
      name: "otlp",
      priority: 85,
      instantiate: (gadget) => {
        // Nothing has been counted yet.
        const startMs = Date.now();
        const instance: OperatorInstance = {
          start: (previous) => {
            const source = { ...sourceOf(gadget), startMs, exporters };
            this.#sources.set(instance, source);
            this.#push.add(source, previous && this.#sources.get(previous));
          },
          stop: async () => {
            const source = this.#sources.get(instance);
            this.#sources.delete(instance);
            if (source !== undefined) await this.#push.remove(source);
          },
        };
        return instance;
      },
    };
  }

  /** The first push comes after one interval. */
  begin(): void {
    this.#push.begin(() => readOwn(this.#options.own));
  }

  /** Waits until all is sent, or for a while, once the gadgets have ended. */
  finish(): Promise<void> {
    return this.#push.finish();
  }

  close(): void {
    this.#push.close();
  }
}

function sourceOf(gadget: LocalGadget): Pick<PushSource, "sets" | "refresh"> {
  return {
    sets: gadget.metrics.sets,
    refresh: async () => {
      for (const [dataSource, error] of await gadget.metrics.refresh()) {
        gadget.warn(`data source ${dataSource}: ${describeError(error)}`);
      }
    },
  };
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
