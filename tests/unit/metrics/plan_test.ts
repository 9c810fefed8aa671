// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { DEFAULT_BOUNDARIES, DEFAULT_SERIES_LIMIT } from "../../../src/metrics/mod.ts";
import { makeField } from "../decode/fields.ts";
import { numberField, planOf, valueRole } from "./plans.ts";

function slotsField(arrayLength: number) {
  return makeField({ name: "slots", kind: "uint64", sizeBytes: 8 * arrayLength, arrayLength });
}

Deno.test("keys lie in a row of words, as many as each needs", () => {
  const sizes: [string, number][] = [["a", 1], ["b", 16], ["c", 9], ["d", 2]];
  const keys = sizes.map(([name, sizeBytes]) => makeField({ name, kind: "cstring", sizeBytes }));
  const plan = planOf({ keys: [...keys, numberField("e", "uint64")] });
  assertEquals(plan.keys.map(({ firstWord }) => firstWord), [0, 1, 5, 8, 9]);
  assertEquals(plan.keyWordCount, 11);
});

Deno.test("limit and ttl have their defaults", () => {
  const { seriesLimit, ttlMs } = planOf({});
  assertEquals([seriesLimit, ttlMs], [DEFAULT_SERIES_LIMIT, 0]);
});

Deno.test("the implicit counter comes last and counts records", () => {
  const { instruments } = planOf({
    values: [valueRole(numberField("size", "uint64"), "gauge")],
    implicitCounter: { name: "events", description: "all of them" },
  });
  const parts = instruments.map(({ name, description, field, storage }) => [
    name,
    description,
    field?.name,
    storage,
  ]);
  assertEquals(parts, [["size", "", "size", "unsigned"], [
    "events",
    "all of them",
    undefined,
    "unsigned",
  ]]);
});

const STORAGE = [
  ["uint32", "counter", "unsigned"],
  ["int64", "counter", "unsigned"],
  ["float64", "counter", "float"],
  ["uint64", "gauge", "unsigned"],
  ["int64", "gauge", "signed"],
  ["float64", "gauge", "float"],
  ["float64", "histogram", "histogram"],
] as const;
for (const [kind, type, storage] of STORAGE) {
  Deno.test(`a ${type} of ${kind} is kept as ${storage}`, () => {
    const plan = planOf({ values: [valueRole(numberField("value", kind), type)] });
    assertEquals(plan.instruments[0].storage, storage);
  });
}

const BOUNDS: readonly {
  readonly what: string;
  readonly slots: number;
  readonly boundaries?: readonly number[];
  readonly bounds: readonly number[];
  readonly midpoints: readonly number[];
}[] = [
  { what: "powers of two", slots: 5, bounds: [0, 1, 3, 7], midpoints: [0, 1, 2.5, 5.5, 8] },
  { what: "one slot", slots: 1, bounds: [], midpoints: [0] },
  {
    what: "whole bounds",
    slots: 3,
    boundaries: [10, 20],
    bounds: [10, 20],
    midpoints: [5, 15.5, 21],
  },
  {
    what: "fractions",
    slots: 3,
    boundaries: [0.5, 1],
    bounds: [0.5, 1],
    midpoints: [0.25, 0.75, 1],
  },
  { what: "below zero", slots: 2, boundaries: [-4], bounds: [-4], midpoints: [-4, -3] },
];
for (const { what, slots, boundaries, bounds, midpoints } of BOUNDS) {
  Deno.test(`bounds and midpoints of slots: ${what}`, () => {
    const role = valueRole(slotsField(slots), "histogram", boundaries && { boundaries });
    const [instrument] = planOf({ values: [role] }).instruments;
    assertEquals([instrument.upperBounds, instrument.midpoints], [bounds, midpoints]);
  });
}

Deno.test("the bounds of many slots are exact: 2^i - 1", () => {
  const [{ upperBounds }] =
    planOf({ values: [valueRole(slotsField(27), "histogram")] }).instruments;
  assertEquals([upperBounds.length, upperBounds[25]], [26, 33_554_431]);
});

Deno.test("other histograms take their boundaries or the default ones", () => {
  const field = numberField("latency", "uint64");
  const plan = planOf({
    values: [valueRole(field, "histogram"), valueRole(field, "histogram", { boundaries: [1.5] })],
  });
  assertEquals(plan.instruments.map(({ upperBounds }) => upperBounds), [DEFAULT_BOUNDARIES, [1.5]]);
});

Deno.test("buckets are native ones by powers of two, where nothing can be below zero, or by a schema", () => {
  const field = numberField("latency", "uint64");
  const exponential = { schema: 1, from: 1, to: 4, isSigned: false };
  const values = [
    valueRole(slotsField(5), "histogram"),
    valueRole(slotsField(1), "histogram"),
    valueRole(field, "histogram"),
    valueRole(field, "histogram", { boundaries: [2, 4, 8] }),
    valueRole(numberField("latency", "int64"), "histogram", { boundaries: [2, 4, 8] }),
    valueRole(numberField("latency", "int64"), "histogram", { exponential }),
  ];
  assertEquals(planOf({ values }).instruments.map(({ native }) => native), [
    { schema: 0, zeroThreshold: 2 ** -128, zeroCell: 0, firstIndex: 1 },
    undefined,
    undefined,
    { schema: 0, zeroThreshold: 2, zeroCell: 0, firstIndex: 2 },
    undefined,
    { schema: 1, zeroThreshold: 2 ** -0.5, zeroCell: 0, firstIndex: 0 },
  ]);
});
