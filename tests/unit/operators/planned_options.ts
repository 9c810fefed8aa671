/** What gadgets of tests are made of. */

import type { DataSourceSpec, GadgetSpec } from "../../../src/gadget/mod.ts";
import type { PlannedGadgetOptions } from "../../../src/operators/planned_gadget.ts";
import { makeField } from "../decode/fields.ts";

/** Has a metric. */
export const EVENTS: DataSourceSpec = {
  name: "events",
  origin: { kind: "tracer", map: "events", struct: "event" },
  annotations: {},
  tags: [],
  fields: [
    makeField({ name: "pid", kind: "uint32", sizeBytes: 4 }),
    makeField({
      name: "bytes",
      kind: "uint64",
      sizeBytes: 8,
      offsetBytes: 8,
      annotations: { "metrics.type": "counter" },
    }),
  ],
  recordSizeBytes: 16,
  valueSizeBytes: 0,
};
/** Has none. */
export const PLAIN: DataSourceSpec = {
  ...EVENTS,
  name: "plain",
  fields: [makeField({ name: "uid", kind: "uint32", sizeBytes: 4 })],
  recordSizeBytes: 4,
};

/** Options of a gadget that has both. */
export function optionsOf(
  warnings: string[],
  params: Readonly<Record<string, string>> = {},
): PlannedGadgetOptions {
  const spec: GadgetSpec = {
    name: "g",
    description: "",
    dataSources: [EVENTS, PLAIN],
    params: [],
    programs: {},
  };
  return {
    name: "g",
    spec,
    params: new Map(Object.entries(params)),
    schedule: () => ({ intervalMs: 0, count: 0 }),
    host: {
      sets: () => [],
      setOf: () => undefined,
      refresh: () => Promise.resolve(new Map()),
      stackMap: () => undefined,
      kernelStack: String,
      stats: () => {
        throw new Error("not asked for");
      },
    },
    warn: (text) => void warnings.push(text),
  };
}
