/** Plans and records for tests that name every number. */

import type { Field, FilterTerm } from "../../../src/decode/mod.ts";
import type { MetricRoles, ValueRole } from "../../../src/gadget/mod.ts";
import { makePlan, type MetricsPlan, SeriesStore } from "../../../src/metrics/mod.ts";
import { makeField } from "../decode/fields.ts";

/** A number of segment 0, at a place. */
export function numberField(
  name: string,
  kind: "uint32" | "uint64" | "int64" | "float64",
  place: Partial<Field> = {},
): Field {
  return makeField({ name, kind, sizeBytes: kind === "uint32" ? 4 : 8, ...place });
}

/** A metric of a field; named after it. */
export function valueRole(
  field: Field,
  type: ValueRole["type"],
  rest: Partial<ValueRole> = {},
): ValueRole {
  const isSlots = field.arrayLength > 0;
  return { field, type, name: field.name, description: "", unit: "", isSlots, ...rest };
}

export interface PlanParts extends Partial<Omit<MetricRoles, "keys">> {
  readonly keys?: readonly Field[];
  /** Fields beside keys and values. */
  readonly fields?: readonly Field[];
  readonly filter?: readonly FilterTerm[];
  readonly recordSizeBytes?: number;
  readonly valueSizeBytes?: number;
}

/** A plan; without values it counts records. */
export function planOf(parts: PlanParts): MetricsPlan {
  const {
    keys = [],
    fields = [],
    values = [],
    filter = [],
    recordSizeBytes = 16,
    valueSizeBytes = 0,
  } = parts;
  const implicitCounter = values.length === 0 ? { name: "events", description: "" } : undefined;
  return makePlan({
    collect: true,
    print: false,
    values: [],
    ...(implicitCounter && { implicitCounter }),
    ...parts,
    keys: keys.map((field) => ({ field, label: field.name })),
  }, { fields, filter, recordSizeBytes, valueSizeBytes });
}

/** A store whose series have one key word. */
export function oneWordStore(parts: PlanParts = {}): SeriesStore {
  return new SeriesStore(planOf({ keys: [numberField("id", "uint32")], ...parts }));
}

/** The series of a key word, allotted if need be. */
export function seriesOf(store: SeriesStore, word: number): number {
  store.scratch[0] = word;
  return store.findOrInsert();
}

/** Index of a series' first cell of an instrument. */
export function cellAt(
  store: SeriesStore,
  { column, series }: { column: number; series: number },
): number {
  const { stride, offset } = store.memory.column(column);
  return series * stride + offset;
}

/** Exact value of an integer column. */
export function integerAt(store: SeriesStore, place: { column: number; series: number }): bigint {
  return store.memory.cells[cellAt(store, place)];
}

/** Value of a column of doubles. */
export function floatAt(store: SeriesStore, place: { column: number; series: number }): number {
  return store.memory.floats[cellAt(store, place)];
}

/** Counts of a histogram column, bucket by bucket. */
export function countsAt(
  store: SeriesStore,
  place: { column: number; series: number },
): bigint[] {
  const first = cellAt(store, place);
  return [...store.memory.cells.subarray(first, first + bucketCount(store, place.column))];
}

/** Sum of a histogram column. */
export function sumAt(store: SeriesStore, place: { column: number; series: number }): number {
  return store.memory.floats[cellAt(store, place) + bucketCount(store, place.column)];
}

function bucketCount(store: SeriesStore, index: number): number {
  const column = store.memory.column(index);
  if (column.kind !== "histogram") throw new Error("no histogram");
  return column.upperBounds.length + 1;
}

/** Bytes of 64-bit integers in a row. */
export function words64(...values: readonly bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, value)).buffer);
}

/** Bytes of 32-bit integers in a row. */
export function words32(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(values).buffer);
}
