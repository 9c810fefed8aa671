/** kmeter's own metrics: ordinary prom-client metrics, filled from a snapshot at every scrape. */

import type { Metric, Registry } from "prom-client";
import { CUT_REASONS, type CutReason } from "./connections.ts";
import type { ExpositionFormat } from "./_number_text.ts";
import { createMetrics, type MetricTable, type PromClient, refill } from "./_own_metric_table.ts";
import { registryProtobuf } from "./_registry_protobuf.ts";
import { registryText } from "./_registry_text.ts";
import type { OwnMetricsSnapshot } from "./own_metrics_snapshot.ts";
import { type ProcessStats, readProcessStats } from "./process_stats.ts";
import { type FamilyRegistry, RegistryFamily, type RegistryValues } from "./registry_family.ts";

/** Options of {@linkcode OwnMetrics.load}. */
export interface OwnMetricsOptions {
  /** Versions that `kmeter_build_info` shows. */
  readonly buildInfo: { readonly version: string; readonly deno: string; readonly libbpf: string };
  /** Where process metrics come from; procfs unless given. */
  readonly processStats?: () => ProcessStats;
  /** The sources or process stats could not be read: the page goes out with what is there. */
  readonly onError?: (error: unknown) => void;
}

/**
 * What went wrong: too many scrapes were under way, the sources could not be read, a set could not be
 * rendered, or the client took too long to read the page.
 */
export type ScrapeStage = "refused" | "refresh" | "render" | "timeout";

const SCRAPE_STAGES: readonly ScrapeStage[] = ["refused", "refresh", "render", "timeout"];

/** kmeter's Registry. Made only where metrics are served: loading prom-client costs start time. */
export class OwnMetrics {
  /** The registry of record. Metrics registered here by others are on the page too. */
  readonly registry: Registry;
  readonly #processStats: () => ProcessStats;
  readonly #onError: (error: unknown) => void;
  readonly #metrics: MetricTable;
  #sources: () => OwnMetricsSnapshot = () => ({
    gadgets: [],
    dataSources: [],
    programs: [],
    consumers: [],
  });

  /** Loads prom-client and makes the metrics. */
  static async load(options: OwnMetricsOptions): Promise<OwnMetrics> {
    const client = await import("./_prom_client.ts");
    return new OwnMetrics(client, options);
  }

  private constructor(client: PromClient, options: OwnMetricsOptions) {
    this.#processStats = options.processStats ?? readProcessStats;
    this.#onError = options.onError ?? (() => {});
    this.registry = new client.Registry();
    // Whoever reads a Registry reads the metrics in this order, so the first one fills all.
    this.#metrics = createMetrics(client, {
      registry: this.registry,
      collect: () => this.#fill(),
    });
    this.#metrics.buildInfo.set({ ...options.buildInfo }, 1);
    for (const stage of SCRAPE_STAGES) this.#metrics.scrapeErrors.inc({ stage }, 0);
    for (const reason of CUT_REASONS) this.#metrics.connectionsCut.inc({ reason }, 0);
  }

  /** Sets where the numbers come from; called once per scrape. */
  observe(sources: () => OwnMetricsSnapshot): void {
    this.#sources = sources;
  }

  /** Records how long a whole scrape took. */
  recordScrape(durationSeconds: number): void {
    this.#metrics.scrapeDuration.set(durationSeconds);
  }

  countScrapeError(stage: ScrapeStage): void {
    this.#metrics.scrapeErrors.inc({ stage });
  }

  countConnectionCut(reason: CutReason): void {
    this.#metrics.connectionsCut.inc({ reason });
  }

  /** The Registry as {@linkcode Exposition} uses it. */
  get families(): FamilyRegistry {
    return {
      registerMetric: (family) => {
        // prom-client reads only `name`, `get`, `getForPromString` and `reset` of a metric, but its
        // declaration knows no other than its own classes.
        this.registry.registerMetric(family as unknown as Metric);
      },
      removeSingleMetric: (name) => this.registry.removeSingleMetric(name),
    };
  }

  /** All metrics of the Registry but the gadget families, in that format. */
  async render(format: ExpositionFormat): Promise<Uint8Array<ArrayBuffer>> {
    const families = await this.read();
    if (format === "protobuf") return registryProtobuf(families);
    return new TextEncoder().encode(registryText(families, format));
  }

  /** Values of all metrics of the Registry but the gadget families. */
  async read(): Promise<RegistryValues[]> {
    // The declaration calls these plain descriptions; they are the metrics themselves.
    const registered = this.registry
      .getMetricsAsArray() as unknown as (RegisteredMetric | RegistryFamily)[];
    const families: RegistryValues[] = [];
    for (const metric of registered) {
      if (metric instanceof RegistryFamily) continue;
      const { name, help, type, values } = await metric.get();
      families.push({ name, help, type, values, aggregator: "sum" });
    }
    return families;
  }

  #fill(): void {
    // Procfs may take no more descriptors just when the page must tell what that costs.
    const process = this.#attempt(this.#processStats) ?? {};
    this.#attempt(() => refill(this.#metrics, { snapshot: this.#sources(), process }));
  }

  #attempt<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.countScrapeError("refresh");
      this.#onError(error);
    }
  }
}

interface RegisteredMetric {
  get(): RegistryValues | Promise<RegistryValues>;
}
