/** Runs gadgets in this process: real objects, real kernel, a display that keeps what it is shown. */

import { isRoot, libbpfVersion, runProgram } from "../../ffi/mod.ts";
import {
  type FetchSchedule,
  type ParsedGadget,
  parseGadget,
  RunningGadget,
} from "../../src/engine/mod.ts";
import type { DataSourceStats } from "../../src/export/mod.ts";
import {
  allocateSeriesBudget,
  DEFAULT_TOTAL_SERIES_LIMIT,
  type MetricSet,
} from "../../src/metrics/mod.ts";
import {
  ENRICH_OPERATOR,
  FILTER_OPERATOR,
  METRICS_OPERATOR,
  type Operator,
} from "../../src/operators/mod.ts";
import { createRowView } from "../../src/view/mod.ts";
import { addHeld, expectNothingLeft, noObjects, rememberState } from "./leftovers.ts";
import { type DumpedEntry, dumpMap, runTool } from "./oracles.ts";

/** Folder of the checkout. */
export const CHECKOUT: string = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** A row as `-o json` shows it. */
export type Row = Record<string, unknown>;

/** How to start a gadget in a test. */
export interface StartOptions {
  readonly annotate?: readonly string[];
  /** Collect metrics; the default. */
  readonly metrics?: boolean;
  /** Show the rows of these data sources. */
  readonly show?: readonly string[];
  /** True while nobody takes the rows. */
  readonly isFull?: () => boolean;
  readonly filter?: string;
  /** Series of all data sources together. */
  readonly metricsLimit?: number;
  /** Who takes part beside those of every run. */
  readonly operators?: readonly Operator[];
  readonly strict?: boolean;
  /** Kernel BTF instead of the running kernel's. */
  readonly btfFile?: string;
  readonly params?: Readonly<Record<string, string>>;
  /** Schedule of maps that are read on a timer. */
  readonly schedule?: Partial<FetchSchedule>;
}

/** A gadget at work and what it has shown. */
export class StartedGadget implements AsyncDisposable {
  readonly gadget: ParsedGadget;
  readonly running: RunningGadget;
  /** Rows shown so far, by data source. */
  readonly rows: ReadonlyMap<string, readonly Row[]>;
  /** Fetches shown so far, by data source: one list of rows each. Events have none. */
  readonly fetches: ReadonlyMap<string, readonly (readonly Row[])[]>;
  readonly warnings: readonly string[];
  readonly #sets: readonly MetricSet[];

  constructor(
    gadget: ParsedGadget,
    running: RunningGadget,
    shown: Pick<StartedGadget, "rows" | "fetches" | "warnings">,
  ) {
    this.gadget = gadget;
    this.running = running;
    this.rows = shown.rows;
    this.fetches = shown.fetches;
    this.warnings = shown.warnings;
    this.#sets = running.metricSets;
  }

  /** Runs the gadget's `SEC("syscall")` program with 64-bit arguments. @returns its return value. */
  async run(program: string, args: readonly (number | bigint)[] = []): Promise<number> {
    const attached = this.running.programs.find((candidate) => candidate.program.name === program);
    if (attached === undefined) throw new Error(`no program ${program}`);
    const context = new BigUint64Array(args.map(BigInt));
    return await runProgram(attached.program.fd, new Uint8Array(context.buffer));
  }

  rowsOf(dataSource: string): readonly Row[] {
    return this.rows.get(dataSource) ?? [];
  }

  /** Metrics of a data source, up to date; after `stop` as they were then. */
  async metrics(dataSource: string): Promise<Metrics> {
    const failures = await this.running.refresh();
    for (const failure of failures.values()) throw failure;
    return readMetrics(this.setOf(dataSource));
  }

  setOf(dataSource: string): MetricSet {
    const set = this.#sets.find(({ scope }) => scope.endsWith(`/${dataSource}`));
    if (set === undefined) throw new Error(`no metrics of ${dataSource}`);
    return set;
  }

  /** What kmeter says about itself for a data source. */
  stats(dataSource: string): DataSourceStats {
    const stats = this.running.snapshot().dataSources
      .find((candidate) => candidate.dataSource === dataSource);
    if (stats === undefined) throw new Error(`no stats of ${dataSource}`);
    return stats;
  }

  /** Id of a loaded map, as the kernel numbers it. */
  async mapId(name: string): Promise<number> {
    const held = noObjects();
    addHeld(held);
    const maps = JSON.parse(await runTool("bpftool", ["-j", "map", "show"])) as {
      id: number;
      name?: string;
    }[];
    const map = maps.find((candidate) =>
      candidate.name === name.slice(0, 15) && held.map.has(candidate.id)
    );
    if (map === undefined) throw new Error(`no map ${name} among ${[...held.map].join()}`);
    return map.id;
  }

  /** Entries of a loaded map as bpftool sees them, read and not removed. */
  async mapEntries(name: string): Promise<DumpedEntry[]> {
    return await dumpMap(await this.mapId(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.stop();
  }
}

/** Values of one series by instrument name; 64-bit integers as bigint. */
export type SeriesValues = Record<string, bigint | number | HistogramValue>;

export interface HistogramValue {
  readonly count: bigint;
  readonly sum: number;
  /** Upper bound → count, not cumulative; empty buckets left out. */
  readonly buckets: Readonly<Record<string, bigint>>;
}

/** Label values, joined by `|` → values. */
export type Metrics = Map<string, SeriesValues>;

/** Reads what exporters would export, as plain values. */
export function readMetrics(set: MetricSet): Metrics {
  const metrics: Metrics = new Map();
  for (let series = 0; series < set.seriesCount; series++) {
    if (!set.isLive(series)) continue;
    const label = set.isOverflow(series) ? "overflow" : set.labelValues(series).join("|");
    if (metrics.has(label)) throw new Error(`two series "${label}"`);
    metrics.set(label, readSeries(set, series));
  }
  return metrics;
}

function readSeries(set: MetricSet, series: number): SeriesValues {
  const values: SeriesValues = {};
  for (const instrument of set.instruments) {
    const column = instrument.column();
    const { cells, floats } = column;
    const first = series * column.stride + column.offset;
    switch (column.kind) {
      case "integer":
        values[instrument.name] = column.signed ? BigInt.asIntN(64, cells[first]) : cells[first];
        break;
      case "float":
        values[instrument.name] = floats[first];
        break;
      case "histogram": {
        const buckets: Record<string, bigint> = {};
        const { upperBounds } = column;
        let count = 0n;
        for (let bucket = 0; bucket <= upperBounds.length; bucket++) {
          const inBucket = cells[first + bucket];
          count += inBucket;
          if (inBucket > 0n) buckets[String(upperBounds[bucket] ?? "+Inf")] = inBucket;
        }
        values[instrument.name] = { count, sum: floats[first + upperBounds.length + 1], buckets };
      }
    }
  }
  return values;
}

/** Values of one test, to be checked after it. */
interface Used {
  readonly held: ReturnType<typeof noObjects>;
  readonly names: Set<string>;
}

const current: { used?: Used } = {};

/** Starts a gadget: a built-in name or a folder. */
export async function startGadget(
  gadget: string,
  options: StartOptions = {},
): Promise<StartedGadget> {
  const parsed = parseGadget(gadget, options.annotate ?? []);
  // Names as the kernel keeps them; if loading fails half-way nobody has held an id.
  for (const map of parsed.maps.keys()) current.used?.names.add(map.slice(0, 15));
  for (const [name, symbol] of parsed.elf.symbols) {
    if (symbol.type === "function") current.used?.names.add(name.slice(0, 15));
  }
  const shown = { rows: new Map<string, Row[]>(), fetches: new Map<string, Row[][]>() };
  const warnings: string[] = [];
  const running = await RunningGadget.start(parsed, {
    name: parsed.spec.name,
    operators: [
      ENRICH_OPERATOR,
      FILTER_OPERATOR,
      ...(options.metrics ?? true ? [METRICS_OPERATOR] : []),
      ...options.operators ?? [],
      capturingOperator(options.show ?? [], shown, options.isFull),
    ],
    operatorParams: new Map([["filter", options.filter ?? ""]]),
    params: new Map(Object.entries(options.params ?? {})),
    scopes: new Map(),
    schedule: () => options.schedule ?? {},
    strict: options.strict ?? false,
    btfFile: options.btfFile,
    seriesBudget: allocateSeriesBudget(options.metricsLimit ?? DEFAULT_TOTAL_SERIES_LIMIT),
    warn: (text, hint) => warnings.push(hint === undefined ? text : `${text}\nhint: ${hint}`),
  });
  if (current.used !== undefined) addHeld(current.used.held);
  return new StartedGadget(parsed, running, { ...shown, warnings });
}

/** Keeps the rows of some data sources. */
function capturingOperator(
  show: readonly string[],
  shown: { rows: Map<string, Row[]>; fetches: Map<string, Row[][]> },
  isFull = () => false,
): Operator {
  return {
    name: "capture",
    priority: 80,
    instantiate({ dataSources }) {
      for (const source of dataSources) {
        if (!show.includes(source.name)) continue;
        const { fields, formatters } = source;
        const json = createRowView("json", {
          fields,
          formatters,
          widthColumns: () => 80,
          isTty: false,
        });
        const rows: Row[] = [];
        const fetches: Row[][] = [];
        shown.rows.set(source.name, rows);
        shown.fetches.set(source.name, fetches);
        source.subscribe({
          take(records) {
            if (source.kind === "tracer") {
              for (const record of records) rows.push(JSON.parse(json.row(record)));
              return;
            }
            const fetch: Row[] = JSON.parse(json.rows(records));
            fetches.push(fetch);
            rows.push(...fetch);
          },
          isFull,
          room: () => Promise.resolve(!isFull()),
        });
      }
      return undefined;
    },
  };
}

/** Name of a built-in gadget, its object built from the present source. */
export async function builtin(name: string): Promise<string> {
  await buildFolder(`${CHECKOUT}gadgets/${name}`);
  return name;
}

/** Folder of a test gadget, with its object built from the present source. */
export async function fixture(name: string): Promise<string> {
  const folder = `${CHECKOUT}tests/fixtures/gadgets/${name}`;
  await buildFolder(folder);
  return folder;
}

/** Folder of a gadget that only kernel tests use, built likewise. */
export async function kernelFixture(name: string): Promise<string> {
  const folder = `${CHECKOUT}tests/kernel/gadgets/${name}`;
  await buildFolder(folder);
  return folder;
}

async function buildFolder(folder: string): Promise<void> {
  await runTool(`${CHECKOUT}scripts/build_gadgets`, [folder]);
}

/** Why a test cannot run here; undefined if it can. */
export type Probe = () => string | undefined;

/** A test that needs root and must leave nothing behind. Skipped, with a word, if a probe objects. */
export function kernelTest(
  name: string,
  test: (context: Deno.TestContext) => Promise<void>,
  options: { probe?: Probe } = {},
): void {
  const reason = isRoot() ? options.probe?.() : "not root";
  if (reason !== undefined) {
    Deno.stdout.writeSync(new TextEncoder().encode(`skip: ${name}: ${reason}\n`));
  }
  Deno.test({
    name,
    ignore: reason !== undefined,
    // Libraries stay open by design; descriptors are compared below.
    sanitizeResources: false,
    async fn(context) {
      await warmUp();
      const before = await rememberState();
      const used: Used = { held: noObjects(), names: new Set() };
      current.used = used;
      try {
        await test(context);
      } finally {
        current.used = undefined;
      }
      await expectNothingLeft(before, used);
    },
  });
}

/** Workers after which Deno's pools of threads have all descriptors that they ever need. */
const WARM_UP_WORKERS = 3;
const state = { isWarm: false };

/** What the process opens once for all, before the descriptors are counted. */
async function warmUp(): Promise<void> {
  if (state.isWarm) return;
  state.isWarm = true;
  libbpfVersion();
  for (let count = 0; count < WARM_UP_WORKERS; count++) {
    const worker = new Worker("data:text/javascript,postMessage(0)", { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.terminate();
  }
}

/** Waits until something holds, for what the kernel or another process does in its own time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!await condition()) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
