/** The HTTP endpoint of the gadgets that run. */

import { libbpfVersion } from "../../ffi/mod.ts";
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
import type { LocalGadget, Operator, OperatorInstance } from "../operators/mod.ts";
import { describeError } from "./report_error.ts";
import { statusDocument, uptimeSeconds } from "./status_document.ts";
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

/** A gadget on the page. */
interface Served {
  readonly gadget: LocalGadget;
  readonly startedSeconds: number;
}

/** It listens before anything is loaded: a port in use leaves nothing behind. Ownership: `close()` ends it. */
export class MetricsEndpoint {
  readonly #own: OwnMetrics;
  readonly #exposition: Exposition;
  /** With when they began, on the clock of kmeter's uptime. */
  readonly #running = new Map<LocalGadget, number>();
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
        ...[...this.#running.keys()].map((gadget) => gadget.stats()),
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

  /** Has gadgets on the page while they run. A start fails if two metrics would have the same name. */
  get operator(): Operator {
    const all = new Map<OperatorInstance, Served>();
    return {
      name: "prometheus",
      priority: 90,
      instantiate: (gadget) => {
        const instance: OperatorInstance = {
          start: (previous) => {
            const served = { gadget, startedSeconds: uptimeSeconds() };
            this.#serve(served, previous && all.get(previous));
            all.set(instance, served);
          },
          stop: () => {
            this.#withdraw(gadget);
            all.delete(instance);
          },
        };
        return instance;
      },
    };
  }

  /** Puts a gadget's metrics on the page, in the place of another's if one is given; or all is as it was. */
  #serve({ gadget, startedSeconds }: Served, instead?: Served): void {
    if (instead !== undefined) this.#withdraw(instead.gadget);
    try {
      for (const set of gadget.metrics.sets) this.#exposition.add(set);
    } catch (error) {
      this.#withdraw(gadget);
      if (instead !== undefined) this.#serve(instead);
      throw error;
    }
    this.#running.set(gadget, startedSeconds);
  }

  /** All that is to run at the start runs. */
  ready(): void {
    this.#ready.resolve();
  }

  /** Takes a gadget's metrics off the page. */
  #withdraw(gadget: LocalGadget): void {
    for (const set of gadget.metrics.sets) this.#exposition.remove(set);
    this.#running.delete(gadget);
  }

  async #refresh(): Promise<void> {
    await this.#ready.promise;
    const all = await Promise.all(
      [...this.#running.keys()].map(({ metrics }) => metrics.refresh()),
    );
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
      sources: [...this.#running.keys()].flatMap(({ metrics, description }) =>
        metrics.sets.map((set) => ({
          scope: set.scope,
          description,
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
    operators: snapshots.flatMap(({ operators }) => operators ?? []),
    pushes: snapshots.flatMap(({ pushes }) => pushes ?? []),
  };
}

function reportScrapeError(error: unknown): void {
  warnAsIs(describeError(error));
}
