/** The HTTP endpoint of the gadgets that run. */

import { libbpfVersion } from "../../ffi/mod.ts";
import type { RunningGadget } from "../engine/mod.ts";
import {
  addressText,
  Exposition,
  type LandingContent,
  type ListenAddress,
  type MetricsServer,
  OwnMetrics,
  type OwnMetricsSnapshot,
  startMetricsServer,
  startSecureMetricsServer,
  type WebConfigFile,
} from "../export/mod.ts";
import { describeError } from "./report_error.ts";
import { statusDocument } from "./status_document.ts";
import { programVersion } from "./version.ts";
import { warnAsIs } from "./warnings.ts";

/** Where and how metrics are served. */
export interface EndpointOptions {
  readonly address: ListenAddress;
  /** kmeter's own metrics, if there are others who tell them. */
  readonly own?: OwnMetrics;
  readonly prefix?: string;
  /** OpenMetrics tells since when it counts. */
  readonly createdSamples?: boolean;
  readonly webConfig?: WebConfigFile;
  /** What keeps the process from being healthy; undefined if nothing does. */
  readonly health: () => string | undefined;
  /** What is told beside the gadgets that run. */
  readonly more?: () => Partial<OwnMetricsSnapshot>;
}

/** It listens before anything is loaded: a port in use leaves nothing behind. Ownership: `close()` ends it. */
export class MetricsEndpoint {
  readonly #own: OwnMetrics;
  readonly #exposition: Exposition;
  readonly #running = new Set<RunningGadget>();
  /** A scrape waits for it: a page without the gadgets' metrics would look whole. */
  readonly #ready = Promise.withResolvers<void>();
  #server: MetricsServer | undefined;

  /** @throws KernelError if the port cannot be had, UsageError if the host is unknown. */
  static async open(options: EndpointOptions): Promise<MetricsEndpoint> {
    const own = options.own ?? await loadOwnMetrics();
    const endpoint = new MetricsEndpoint(own, options);
    endpoint.#listen(options);
    return endpoint;
  }

  private constructor(own: OwnMetrics, { prefix, createdSamples, more }: EndpointOptions) {
    this.#own = own;
    this.#exposition = new Exposition({
      metricsPrefix: prefix,
      createdSamples,
      registry: own.families,
      onError: ({ error }) => {
        own.countScrapeError("render");
        reportScrapeError(error);
      },
    });
    own.observe(() =>
      mergeSnapshots([
        ...[...this.#running].map((running) => running.snapshot()),
        more?.() ?? {},
      ])
    );
  }

  #listen({ address, webConfig, health, more, prefix }: EndpointOptions): void {
    const options = {
      ...address,
      exposition: this.#exposition,
      ownMetrics: this.#own,
      beforeScrape: () => this.#refresh(),
      landing: () => this.#landing(),
      status: () =>
        statusDocument({ running: this.#running, down: more?.().gadgets ?? [], prefix }),
      health,
      onError: reportScrapeError,
    };
    this.#server = webConfig === undefined
      ? startMetricsServer(options)
      : startSecureMetricsServer({ ...options, webConfig });
  }

  get url(): string {
    const server = this.#server;
    return server === undefined ? "" : `${server.scheme}://${addressText(server.addr)}/metrics`;
  }

  /**
   * Puts a gadget's metrics on the page, in the place of another's if one is given.
   * @throws UsageError if two metrics would have the same name; then all is as it was.
   */
  serve(running: RunningGadget, instead?: RunningGadget): void {
    if (instead !== undefined) this.withdraw(instead);
    try {
      for (const set of running.metricSets) this.#exposition.add(set);
    } catch (error) {
      this.withdraw(running);
      if (instead !== undefined) this.serve(instead);
      throw error;
    }
    this.#running.add(running);
  }

  /** All that is to run at the start runs. */
  ready(): void {
    this.#ready.resolve();
  }

  /** Takes a gadget's metrics off the page. */
  withdraw(running: RunningGadget): void {
    for (const set of running.metricSets) this.#exposition.remove(set);
    this.#running.delete(running);
  }

  async #refresh(): Promise<void> {
    await this.#ready.promise;
    const all = await Promise.all([...this.#running].map((running) => running.refresh()));
    for (const failures of all) {
      for (const [dataSource, error] of failures) {
        this.#own.countScrapeError("refresh");
        warnAsIs(`data source ${dataSource}: ${describeError(error)}`);
      }
    }
  }

  #landing(): LandingContent {
    return {
      version: programVersion(),
      sources: [...this.#running].flatMap((running) =>
        running.metricSets.map((set) => ({
          scope: set.scope,
          description: running.spec.description,
          metrics: this.#exposition.familyNames(set),
        }))
      ),
    };
  }

  async close(): Promise<void> {
    this.#running.clear();
    await this.#server?.shutdown();
  }
}

/** kmeter's own metrics, of nothing yet. */
export function loadOwnMetrics(): Promise<OwnMetrics> {
  return OwnMetrics.load({
    buildInfo: { version: programVersion(), deno: Deno.version.deno, libbpf: libbpfVersion() },
    onError: reportScrapeError,
  });
}

function mergeSnapshots(snapshots: readonly Partial<OwnMetricsSnapshot>[]): OwnMetricsSnapshot {
  // All have the same budget.
  const [seriesPlaces] = snapshots.flatMap((snapshot) => snapshot.seriesPlaces ?? []);
  return {
    ...(seriesPlaces && { seriesPlaces }),
    gadgets: snapshots.flatMap(({ gadgets }) => gadgets ?? []),
    dataSources: snapshots.flatMap(({ dataSources }) => dataSources ?? []),
    programs: snapshots.flatMap(({ programs }) => programs ?? []),
    consumers: snapshots.flatMap(({ consumers }) => consumers ?? []),
    pushes: snapshots.flatMap(({ pushes }) => pushes ?? []),
  };
}

function reportScrapeError(error: unknown): void {
  warnAsIs(describeError(error));
}
