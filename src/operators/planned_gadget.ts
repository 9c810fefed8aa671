/** A gadget while operators say what they want of it, and what it calls when it runs. */

import type { StackMapHandle } from "../enrich/mod.ts";
import type { OwnMetricsSnapshot } from "../export/mod.ts";
import type { DataSourceSpec, GadgetSpec } from "../gadget/mod.ts";
import type { MetricSet } from "../metrics/mod.ts";
import type {
  LocalGadget,
  LocalMetrics,
  LocalMetricsSubscriber,
  MetricsSchedule,
  Operator,
  OperatorInstance,
  ReadSchedule,
} from "./operator.ts";
import { type KnownSource, PlannedSource, refusesMetrics } from "./planned_source.ts";

/** What the one who runs the gadget does for operators. */
export interface GadgetHost {
  sets(): readonly MetricSet[];
  setOf(dataSource: string): MetricSet | undefined;
  refresh(): Promise<ReadonlyMap<string, unknown>>;
  stackMap(): StackMapHandle | undefined;
  kernelStack(id: number): string;
  stats(): OwnMetricsSnapshot;
}

/** What a planned gadget is made of. */
export interface PlannedGadgetOptions {
  readonly name: string;
  readonly spec: GadgetSpec;
  readonly params: ReadonlyMap<string, string>;
  /** When the rows of a data source are read. */
  readonly schedule: (source: DataSourceSpec) => ReadSchedule;
  readonly host: GadgetHost;
  /** For operators that come when it runs already. */
  readonly known?: (dataSource: string) => KnownSource | undefined;
  readonly warn: (text: string, hint?: string) => void;
}

/** Somebody who wants metrics. */
export interface MetricsWish {
  readonly subscriber: LocalMetricsSubscriber;
  readonly schedule: MetricsSchedule;
}

/** Remembers the wishes. */
export class PlannedGadget implements LocalGadget {
  readonly dataSources: readonly PlannedSource[];
  readonly metrics: LocalMetrics;
  readonly #options: PlannedGadgetOptions;
  readonly #metricsWishes: MetricsWish[] = [];
  /** In the order of their priorities, by operator. */
  readonly #instances = new Map<string, OperatorInstance>();

  /** Asks operators what they want. Throws: what one of them has against the gadget. */
  static async of(
    operators: readonly Operator[],
    options: PlannedGadgetOptions,
  ): Promise<PlannedGadget> {
    const gadget = new PlannedGadget(options);
    try {
      for (const operator of operators.toSorted((a, b) => a.priority - b.priority)) {
        const instance = await operator.instantiate(gadget);
        if (instance !== undefined) gadget.#instances.set(operator.name, instance);
      }
      return gadget;
    } catch (error) {
      await gadget.stop();
      throw error;
    }
  }

  private constructor(options: PlannedGadgetOptions) {
    const { spec, host, known, schedule } = options;
    this.#options = options;
    this.dataSources = spec.dataSources.map((source) =>
      new PlannedSource(source, { schedule: schedule(source), known: known?.(source.name) })
    );
    this.metrics = {
      get sets(): readonly MetricSet[] {
        return host.sets();
      },
      setOf: (dataSource) => host.setOf(dataSource),
      refresh: () => host.refresh(),
      subscribe: (subscriber, schedule) => {
        this.#metricsWishes.push({ subscriber, schedule });
        for (const source of this.dataSources) {
          const isAsked = schedule.dataSources?.includes(source.name) ?? !refusesMetrics(source);
          if (isAsked) source.collect();
        }
      },
    };
  }

  get name(): string {
    return this.#options.name;
  }

  get description(): string {
    return this.#options.spec.description;
  }

  get metricsWishes(): readonly MetricsWish[] {
    return this.#metricsWishes;
  }

  param(name: string): string | undefined {
    return this.#options.params.get(name);
  }

  warn(text: string, hint?: string): void {
    this.#options.warn(text, hint);
  }

  get stackMap(): StackMapHandle | undefined {
    return this.#options.host.stackMap();
  }

  kernelStack(id: number): string {
    return this.#options.host.kernelStack(id);
  }

  stats(): OwnMetricsSnapshot {
    return this.#options.host.stats();
  }

  async preStart(): Promise<void> {
    for (const instance of this.#instances.values()) await instance.preStart?.();
  }

  /** @param previous the gadget that this one takes the place of. */
  async start(previous?: PlannedGadget): Promise<void> {
    const before = previous && previous.#instances;
    for (const [name, instance] of this.#instances) {
      await instance.start?.(before?.get(name));
    }
  }

  /** All are stopped, whatever one of them throws. */
  async stop(): Promise<void> {
    for (const instance of this.#instances.values()) {
      try {
        await instance.stop?.();
      } catch (error) {
        this.warn(error instanceof Error ? error.message : String(error));
      }
    }
  }
}
