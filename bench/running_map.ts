/** One data source over a map, run as `kmeter run` runs it, for a bench. */

import { runProgram } from "../ffi/mod.ts";
import { parseGadget, RunningGadget, type RunOptions } from "../src/engine/mod.ts";
import { Exposition } from "../src/export/mod.ts";
import { allocateSeriesBudget, DEFAULT_TOTAL_SERIES_LIMIT } from "../src/metrics/mod.ts";
import { ENRICH_OPERATOR, METRICS_OPERATOR } from "../src/operators/mod.ts";
import { FIXTURES } from "./fixture.ts";

/** A running data source. It runs until the process ends. */
export interface RunningMap {
  /** Runs program `fill` with a context of u64 numbers. */
  fill(...numbers: number[]): Promise<void>;
  /** Brings the metrics up to date, as a scrape does. @returns series. */
  refresh(): Promise<number>;
  /** Renders the page without kmeter's own metrics. @returns its bytes. */
  render(): number;
}

const OPTIONS: RunOptions = {
  name: "bench",
  operators: [ENRICH_OPERATOR, METRICS_OPERATOR],
  operatorParams: new Map(),
  params: new Map(),
  scopes: new Map(),
  schedule: () => ({}),
  strict: true,
  seriesBudget: allocateSeriesBudget(DEFAULT_TOTAL_SERIES_LIMIT),
  warn: (text) => {
    throw new Error(text);
  },
};

/** Starts a test gadget (built already) of which only one data source is collected. */
export async function startMap(fixture: string, dataSource: string): Promise<RunningMap> {
  const folder = FIXTURES + fixture;
  const others = parseGadget(folder, []).spec.dataSources
    .map(({ name }) => name).filter((name) => name !== dataSource);
  const gadget = parseGadget(folder, [
    `${dataSource}:metrics.limit=1000000`,
    ...others.map((name) => `${name}:metrics.collect=false`),
  ]);
  const running = await RunningGadget.start(gadget, OPTIONS);
  const attached = running.programs.find(({ program }) => program.name === "fill");
  const [set] = running.metricSets;
  if (attached === undefined || set === undefined) throw new Error(`${fixture} cannot be filled`);
  const exposition = new Exposition({
    onError: ({ error }) => {
      throw error;
    },
  });
  exposition.add(set);
  return {
    async fill(...numbers) {
      const context = new Uint8Array(BigUint64Array.from(numbers, BigInt).buffer);
      await runProgram(attached.program.fd, context);
    },
    async refresh() {
      for (const error of (await running.refresh()).values()) throw error;
      return set.seriesCount;
    },
    render() {
      let bytes = 0;
      for (const chunk of exposition.render("text", { trailer: new Uint8Array() })) {
        bytes += chunk.length;
      }
      return bytes;
    },
  };
}
