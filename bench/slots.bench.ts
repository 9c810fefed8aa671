/**
 * Counting map entries that are whole histograms, with 1 or 10^9 in each of their slots: what a slot
 * holds must not matter. 10,000 entries of the test gadget all_metrics, 1,000 series.
 */

import type { Field } from "../src/decode/mod.ts";
import { parseGadget } from "../src/engine/mod.ts";
import { metricRoles } from "../src/gadget/mod.ts";
import { compileIngest, makePlan, type RowBatch, SeriesStore } from "../src/metrics/mod.ts";
import { fixtureFolder } from "./_kmeter.ts";

const ENTRIES = 10_000;
const SERIES = 1_000;

const gadget = parseGadget(await fixtureFolder("all_metrics"), []);
const spec = gadget.spec.dataSources.find(({ name }) => name === "slots");
if (spec === undefined) throw new Error("fixture all_metrics has no slots");
const plan = makePlan(metricRoles(spec), { ...spec, filter: [] });
const slotFields = plan.instruments.flatMap(({ slots, field }) =>
  slots && field !== undefined ? [field] : []
);

/** Entries with the same count in every slot. */
function entriesWith(count: number): RowBatch {
  const { recordSizeBytes, valueSizeBytes } = plan;
  const view = new DataView(new ArrayBuffer(ENTRIES * recordSizeBytes));
  const valueView = new DataView(new ArrayBuffer(ENTRIES * valueSizeBytes));
  for (let entry = 0; entry < ENTRIES; entry++) {
    view.setUint32(entry * recordSizeBytes, entry % SERIES, true);
    for (const field of slotFields) {
      fillSlots(valueView, { field, start: entry * valueSizeBytes, count });
    }
  }
  return {
    view,
    strideBytes: recordSizeBytes,
    valueView,
    valueStrideBytes: valueSizeBytes,
    count: ENTRIES,
  };
}

function fillSlots(
  view: DataView,
  { field, start, count }: { field: Field; start: number; count: number },
): void {
  const sizeBytes = field.sizeBytes / field.arrayLength;
  for (let slot = 0; slot < field.arrayLength; slot++) {
    const at = start + field.offsetBytes + slot * sizeBytes;
    if (sizeBytes === 8) view.setBigUint64(at, BigInt(count), true);
    else view.setUint32(at, count, true);
  }
}

for (const [name, count] of [["1", 1], ["10^9", 1e9]] as const) {
  const batch = entriesWith(count);
  const store = new SeriesStore(plan);
  const ingest = compileIngest(plan, {
    store,
    formatters: new Map(),
    skipZeroEntries: false,
    atomicHeaders: false,
  });
  const options = { group: "maps: slot histograms, 10,000 entries", baseline: count === 1 };
  Deno.bench(`kmeter: ${name} in each slot`, options, () => ingest.rows(batch));
}
