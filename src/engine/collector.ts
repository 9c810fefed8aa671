/** The metric side of one data source: plan, memory, loops and what exporters see. */

import { readWallTimeMs } from "../../ffi/mod.ts";
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
  type SeriesBudgetHandle,
  SeriesMemory,
  SeriesStore,
} from "../metrics/mod.ts";
import type { Formatters } from "./run_options.ts";

/** What is collected of a data source. */
export interface CollectorOptions {
  readonly scope: string;
  readonly roles: MetricRoles;
  readonly filter: readonly FilterTerm[];
  readonly formatters: Formatters;
  readonly budget: SeriesBudgetHandle;
}

/** One data source's metrics as they are read, whichever thread counts. */
export interface Collector {
  readonly plan: MetricsPlan;
  readonly memory: SeriesMemory;
  readonly set: MetricSet;
}

/** How records that the main thread counts are met. */
export interface CountingOptions {
  readonly formatters: Formatters;
  /** True if records are map entries that repeat totals. */
  readonly followsTotals: boolean;
  /** True if entries that are all zeros are unused array elements. */
  readonly skipZeroEntries: boolean;
}

/** One data source's metrics, counted by the main thread. */
export interface CountingCollector extends Collector {
  readonly store: SeriesStore;
  /** Present if totals are followed. */
  readonly entries?: EntryStore;
  readonly ingest: CompiledIngest;
}

/** Makes a data source's plan and the memory of its series. */
export function createCollector(spec: DataSourceSpec, options: CollectorOptions): Collector {
  const { fields, recordSizeBytes, valueSizeBytes } = spec;
  const { scope, filter, formatters, budget } = options;
  const isRetold = spec.origin.kind === "iter";
  const plan = makePlan(options.roles, { fields, filter, recordSizeBytes, valueSizeBytes });
  const isStronglyOrdered = Deno.build.arch === "x86_64";
  const memory = new SeriesMemory(plan, allocateSeriesMemory(plan, { isStronglyOrdered, budget }));
  const startMs = readWallTimeMs();
  const set = createMetricSet({ scope, plan, memory, startMs, isRetold, formatters });
  return { plan, memory, set };
}

/** Compiles the loops, to count on this thread. */
export function countHere(collector: Collector, options: CountingOptions): CountingCollector {
  const { plan, memory } = collector;
  const { formatters, followsTotals, skipZeroEntries } = options;
  const store = new SeriesStore(plan, memory);
  const sizes = { keySizeBytes: plan.recordSizeBytes, valueSizeBytes: plan.valueSizeBytes };
  const entries = followsTotals ? new EntryStore(store, sizes) : undefined;
  const atomicHeaders = !memory.handle.isStronglyOrdered;
  const ingest = compileIngest(plan, {
    store,
    entries,
    formatters,
    skipZeroEntries,
    atomicHeaders,
  });
  return { ...collector, store, entries, ingest };
}
