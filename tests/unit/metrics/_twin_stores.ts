/** The same records through generated and interpreting code, into two stores that must stay equal. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { FieldFormatter } from "../../../src/decode/mod.ts";
import type { Field } from "../../../src/decode/mod.ts";
import {
  type CompiledIngest,
  compileIngest,
  EntryStore,
  generateIngest,
  type Ingest,
  interpretIngest,
  type MetricsPlan,
  type RingBatch,
  type RowBatch,
  SeriesStore,
} from "../../../src/metrics/mod.ts";

/** How the twins meet their records. */
export interface TwinOptions {
  readonly followsTotals?: boolean;
  readonly skipZeroEntries?: boolean;
  readonly atomicHeaders?: boolean;
  readonly formatters?: ReadonlyMap<Field, FieldFormatter>;
}

/** A generated ingest and an interpreter, fed alike. */
export class TwinStores {
  readonly compiled: CompiledIngest;
  readonly store: SeriesStore;
  readonly entries: EntryStore | undefined;
  readonly #plan: MetricsPlan;
  readonly #interpreter: Ingest;
  readonly #plainStore: SeriesStore;
  readonly #plainEntries: EntryStore | undefined;

  constructor(plan: MetricsPlan, options: TwinOptions = {}) {
    const { followsTotals = false, skipZeroEntries = false, atomicHeaders = false } = options;
    const formatters = options.formatters ?? new Map();
    const sizes = { keySizeBytes: plan.recordSizeBytes, valueSizeBytes: plan.valueSizeBytes };
    this.#plan = plan;
    this.store = new SeriesStore(plan);
    this.entries = followsTotals ? new EntryStore(this.store, sizes) : undefined;
    this.compiled = compileIngest(plan, {
      store: this.store,
      entries: this.entries,
      skipZeroEntries,
      atomicHeaders,
      formatters,
    });
    this.#plainStore = new SeriesStore(plan);
    this.#plainEntries = followsTotals ? new EntryStore(this.#plainStore, sizes) : undefined;
    this.#interpreter = interpretIngest(plan, {
      store: this.#plainStore,
      entries: this.#plainEntries,
      skipZeroEntries,
      formatters,
    });
    assertGeneratedPath(this, { snapshot: followsTotals, skipZeroEntries, atomicHeaders, plan });
  }

  /** @returns where the next batch begins. */
  ring(batch: RingBatch): number {
    this.#tick();
    const end = this.compiled.ring(batch);
    assertEquals(end, this.#interpreter.ring(batch), "offset behind the last record");
    this.assertEqual();
    return end;
  }

  rows(batch: RowBatch): void {
    this.#tick();
    this.compiled.rows(batch);
    this.#interpreter.rows(batch);
    this.assertEqual();
  }

  /** One whole read of a map, in any number of batches. */
  pass(batches: readonly RowBatch[]): void {
    this.entries?.beginPass();
    this.#plainEntries?.beginPass();
    for (const batch of batches) {
      this.compiled.snapshot(batch);
      this.#interpreter.snapshot(batch);
    }
    this.assertEqual();
    this.entries?.endPass();
    this.#plainEntries?.endPass();
    this.assertEqual();
  }

  /** Each batch has exemplars of its own. */
  #tick(): void {
    for (const store of [this.store, this.#plainStore]) store.wallMs++;
  }

  /** Tells the time of what comes. */
  advance(nowMs: number): void {
    const hiddenBeforeMs = nowMs - this.#plan.ttlMs;
    for (const store of [this.store, this.#plainStore]) {
      store.nowMs = nowMs;
      store.memory.hiddenBeforeMs = hiddenBeforeMs;
    }
    this.assertEqual();
  }

  clear(): void {
    this.store.clear();
    this.#plainStore.clear();
    this.assertEqual();
  }

  assertEqual(): void {
    assertEquals(describeStore(this.store), describeStore(this.#plainStore));
    if (this.entries !== undefined && this.#plainEntries !== undefined) {
      assertEquals(describeEntries(this.entries), describeEntries(this.#plainEntries));
    }
  }
}

/** Only the interpreter asks the stores to look keys up: generated code does it itself. */
function assertGeneratedPath(
  twins: TwinStores,
  options: Parameters<typeof generateIngest>[1] & { plan: MetricsPlan },
): void {
  assertEquals(twins.compiled.source, generateIngest(options.plan, options));
  twins.store.findOrInsert = refuseLookup;
  if (twins.entries !== undefined) twins.entries.find = refuseLookup;
}

function refuseLookup(): never {
  throw new Error("the generated code was not used");
}

/** Everything a store holds, as text, one thing per line. */
export function describeStore({ memory, table }: SeriesStore): string {
  const { count, layout, stats } = memory;
  const ids = Array.from({ length: count }, (_, series) => series);
  return [
    `series ${count} live ${memory.liveCount}`,
    JSON.stringify(stats),
    `generations ${ids.map((series) => memory.generation(series))}`,
    `live ${ids.map((series) => memory.isLive(series))}`,
    `table ${list(table)}`,
    ...ids.map((series) => {
      const start = series * layout.strideCells;
      return `row ${series} ${memory.cells.subarray(start, start + layout.strideCells)}`;
    }),
  ].join("\n");
}

function describeEntries(entries: EntryStore): string {
  return [
    `entries ${entries.size} pass ${entries.pass}`,
    `table ${list(entries.table)}`,
    `keys ${list(entries.keys)}`,
    `values ${list(entries.values)}`,
    `series ${list(entries.series)}`,
    `passes ${list(entries.lastPass)}`,
    `changes ${list(entries.lastChange)}`,
  ].join("\n");
}

/** Elements up to the last that is not zero; −0 told from 0. */
function list(elements: ArrayLike<number>): string {
  let length = elements.length;
  while (length > 0 && Object.is(elements[length - 1], 0)) length--;
  return Array.from(
    { length },
    (_, index) => Object.is(elements[index], -0) ? "-0" : String(elements[index]),
  ).join(" ");
}
