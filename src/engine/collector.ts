/** The metric side of one data source: plan, store, loops and what exporters see. */

import type { FilterTerm } from "../decode/mod.ts";
import type { DataSourceSpec, MetricRoles } from "../gadget/mod.ts";
import {
  allocateSeriesMemory,
  type CompiledIngest,
  compileIngest,
  createMetricSet,
  EntryStore,
  makePlan,
  type MetricSet,
  type MetricsPlan,
  SeriesMemory,
  SeriesStore,
} from "../metrics/mod.ts";
import type { Formatters } from "./run_options.ts";

/** How a collector meets its records. */
export interface CollectorOptions {
  readonly scope: string;
  readonly roles: MetricRoles;
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  /** True if records are map entries that repeat totals. */
  readonly followsTotals: boolean;
  /** True if entries that are all zeros are unused array elements. */
  readonly skipZeroEntries: boolean;
}

/** One data source's metrics. */
export interface Collector {
  readonly plan: MetricsPlan;
  readonly store: SeriesStore;
  /** Present if totals are followed. */
  readonly entries?: EntryStore;
  readonly ingest: CompiledIngest;
  readonly set: MetricSet;
}

/** Compiles a data source's plan. */
export function createCollector(spec: DataSourceSpec, options: CollectorOptions): Collector {
  const { fields, recordSizeBytes, valueSizeBytes } = spec;
  const { formatters, filter } = options;
  const plan = makePlan(options.roles, { fields, filter, recordSizeBytes, valueSizeBytes });
  const isStronglyOrdered = Deno.build.arch === "x86_64";
  const memory = new SeriesMemory(plan, allocateSeriesMemory(plan, { isStronglyOrdered }));
  const store = new SeriesStore(plan, memory);
  const entries = options.followsTotals
    ? new EntryStore(store, { keySizeBytes: recordSizeBytes, valueSizeBytes })
    : undefined;
  const ingest = compileIngest(plan, {
    store,
    entries,
    formatters,
    skipZeroEntries: options.skipZeroEntries,
    atomicHeaders: !isStronglyOrdered,
  });
  const set = createMetricSet({ scope: options.scope, plan, memory, formatters });
  return { plan, store, entries, ingest, set };
}
