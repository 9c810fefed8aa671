/** Single steps with every number named: what the fuzzer found, and where doubles would go wrong. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { Field, FilterTerm } from "../../../src/decode/mod.ts";
import { makeField } from "../decode/fields.ts";
import { ringOf, type Row, rowsOf } from "./batches.ts";
import {
  countsAt,
  floatAt,
  integerAt,
  numberField,
  planOf,
  type PlanParts,
  sumAt,
  valueRole,
  words32,
  words64,
} from "./plans.ts";
import { TwinStores } from "./_twin_stores.ts";

const MAX64 = 2n ** 64n - 1n;
const KEY = numberField("id", "uint32");
const TOTAL = numberField("total", "uint64", { segment: 1 });

/** A map with keys of 4 bytes and values of `valueSizeBytes`, read in place. */
function mapOf(parts: PlanParts): TwinStores {
  const plan = planOf({ keys: [KEY], recordSizeBytes: 4, valueSizeBytes: 8, ...parts });
  return new TwinStores(plan, { followsTotals: true });
}

function entry(id: number, ...value: readonly bigint[]): Row {
  return { key: words32(id), value: words64(...value) };
}

const ADDITIONS: readonly [string, readonly bigint[], bigint][] = [
  ["beyond 2^53", [2n ** 53n, 1n, 1n], 2n ** 53n + 2n],
  ["over the low word", [0xffff_ffffn, 1n], 0x1_0000_0000n],
  ["both words at once", [0x1_ffff_ffffn, 0x2_0000_0002n], 0x4_0000_0001n],
  ["around at 2^64", [MAX64, 3n], 2n],
  ["the largest", [MAX64 - 1n, 1n], MAX64],
];
for (const [what, amounts, sum] of ADDITIONS) {
  Deno.test(`counters add exactly: ${what}`, () => {
    const field = numberField("n", "uint64");
    const twins = new TwinStores(planOf({ values: [valueRole(field, "counter")] }));
    twins.rows(rowsOf(amounts.map((amount) => ({ key: words64(amount, 0n) }))));
    assertEquals(integerAt(twins.store, { column: 0, series: 1 }), sum);
  });
}

const TOTALS: readonly [string, readonly bigint[], bigint][] = [
  ["going up", [5n, 8n, 20n], 20n],
  ["beyond 2^53", [2n ** 60n, 2n ** 60n + 1n], 2n ** 60n + 1n],
  ["over the low word", [0xffff_fff0n, 0x1_0000_0010n], 0x1_0000_0010n],
  ["above 2^63", [2n ** 63n + 5n, 2n ** 63n + 6n], 2n ** 63n + 6n],
  ["with a reset", [100n, 30n, 40n], 140n],
  ["with a reset to zero", [100n, 0n, 7n], 107n],
];
const WIDE_BITS: Field = { ...TOTAL, bitSize: 64 };
for (const field of [TOTAL, WIDE_BITS]) {
  for (const [what, totals, counted] of TOTALS) {
    const kind = field.bitSize === 0 ? "u64" : "bitfield of 64 bits";
    Deno.test(`totals of a ${kind} are followed: ${what}`, () => {
      const twins = mapOf({ values: [valueRole(field, "counter")] });
      for (const total of totals) twins.pass([rowsOf([entry(1, total)])]);
      assertEquals(integerAt(twins.store, { column: 0, series: 1 }), counted);
    });
  }
}

Deno.test("a counter goes on when its key leaves the map and returns", () => {
  const twins = mapOf({ values: [valueRole(TOTAL, "counter")] });
  const live = [[entry(1, 10n)], [], [entry(1, 4n)]].map((rows) => {
    twins.pass([rowsOf(rows)]);
    return twins.store.memory.isLive(1);
  });
  assertEquals([live, integerAt(twins.store, { column: 0, series: 1 })], [
    [true, false, true],
    14n,
  ]);
});

Deno.test("entries that differ in what is no metric key feed one series", () => {
  const group = makeField({ name: "group", kind: "uint8", sizeBytes: 1 });
  const twins = mapOf({ keys: [group], values: [valueRole(TOTAL, "counter")] });
  twins.pass([rowsOf([entry(0x101, 1n), entry(0x201, 10n), entry(0x102, 100n)])]);
  twins.pass([rowsOf([entry(0x201, 30n)])]);
  const sums = [1, 2].map((series) => integerAt(twins.store, { column: 0, series }));
  const live = [0, 1, 2].map((series) => twins.store.memory.isLive(series));
  assertEquals([sums, live], [[31n, 100n], [false, true, false]]);
});

const OVER_FIVE: FilterTerm = { type: "integer", field: TOTAL, operator: ">", value: 5n };
Deno.test("what a filter on values lets go and come back is not counted twice", () => {
  const last = { ...TOTAL, name: "last" };
  const twins = mapOf({
    values: [valueRole(TOTAL, "counter"), valueRole(last, "gauge")],
    filter: [OVER_FIVE],
  });
  const states = [3n, 6n, 4n, 9n, 2n, 9n].map((total) => {
    twins.pass([rowsOf([entry(1, total)])]);
    const live = twins.store.memory.isLive(1) ? 1 : 0;
    return [live].concat(
      [0, 1].map((column) => Number(integerAt(twins.store, { column, series: 1 }))),
    );
  });
  assertEquals(states, [[0, 0, 0], [1, 6, 6], [0, 6, 6], [1, 9, 9], [0, 9, 9], [1, 9, 9]]);
  assertEquals(twins.store.memory.stats.filtered, 3);
});

Deno.test("with a ttl, an entry that changes again has its series back", () => {
  const twins = mapOf({ values: [valueRole(TOTAL, "counter")], ttlMs: 100 });
  const live = [[0, 5n], [1_000, 5n], [2_000, 6n], [2_050, 6n], [3_000, 6n]] as const;
  const states = live.map(([nowMs, total]) => {
    twins.advance(nowMs);
    twins.pass([rowsOf([entry(1, total)])]);
    return [twins.store.memory.isLive(1), Number(integerAt(twins.store, { column: 0, series: 1 }))];
  });
  assertEquals(states, [[true, 5], [false, 5], [true, 1], [true, 1], [false, 1]]);
});

Deno.test("with a ttl, an entry does not feed a series whose id went to another key", () => {
  const twins = mapOf({ values: [valueRole(TOTAL, "counter")], ttlMs: 100, limit: 1 });
  twins.pass([rowsOf([entry(1, 5n)])]);
  twins.advance(1_000);
  twins.pass([rowsOf([entry(1, 5n), entry(2, 70n)])]);
  twins.pass([rowsOf([entry(1, 6n), entry(2, 70n)])]);
  const [overflow, second] = [0, 1].map((series) => integerAt(twins.store, { column: 0, series }));
  assertEquals([overflow, second, twins.store.memory.words[twins.store.memory.keyAt(1)]], [
    1n,
    70n,
    2,
  ]);
});

Deno.test("signed counters that go below zero are an error, and are not subtracted", () => {
  const field = numberField("n", "int64");
  const twins = new TwinStores(planOf({ values: [valueRole(field, "counter")] }));
  twins.rows(rowsOf([5n, -3n, 2n].map((amount) => ({ key: words64(amount, 0n) }))));
  assertEquals(integerAt(twins.store, { column: 0, series: 1 }), 7n);
  assertEquals(twins.store.memory.stats.negativeCounters, 1);
});

Deno.test("what is no number is an error, and spoils neither counter nor histogram", () => {
  const field = numberField("x", "float64");
  const twins = new TwinStores(planOf({
    values: [valueRole(field, "counter"), valueRole(field, "histogram", { boundaries: [1] })],
  }));
  const rows = [0.5, NaN, 2].map((x) => ({
    key: new Uint8Array(new Float64Array([x, 0]).buffer),
  }));
  twins.rows(rowsOf(rows));
  const { store } = twins;
  assertEquals([floatAt(store, { column: 0, series: 1 }), sumAt(store, { column: 1, series: 1 })], [
    2.5,
    2.5,
  ]);
  assertEquals(store.memory.stats.notANumber, 2);
  assertEquals(countsAt(twins.store, { column: 1, series: 1 }), [1n, 1n]);
});

const SLOTS = makeField({
  name: "slots",
  kind: "uint64",
  sizeBytes: 24,
  arrayLength: 3,
  segment: 1,
});
Deno.test("slots take 64-bit counts at once; the sum is that of the midpoints", () => {
  const twins = mapOf({ values: [valueRole(SLOTS, "histogram")], valueSizeBytes: 24 });
  twins.pass([rowsOf([entry(1, 0n, 10n ** 9n, 2n ** 40n)])]);
  twins.pass([rowsOf([entry(1, 4n, 10n ** 9n + 1n, 2n ** 40n)])]);
  assertEquals(countsAt(twins.store, { column: 0, series: 1 }), [4n, 10n ** 9n + 1n, 2n ** 40n]);
  assertEquals(sumAt(twins.store, { column: 0, series: 1 }), 10 ** 9 + 1 + 2 * 2 ** 40);
});

Deno.test("an entry that was made anew counts whole, also in slots that did not go down", () => {
  const twins = mapOf({ values: [valueRole(SLOTS, "histogram")], valueSizeBytes: 24 });
  twins.pass([rowsOf([entry(1, 5n, 10n, 0n)])]);
  twins.pass([rowsOf([entry(1, 7n, 2n, 0n)])]);
  assertEquals(countsAt(twins.store, { column: 0, series: 1 }), [12n, 12n, 0n]);
});

const NARROW = makeField({ name: "narrow", kind: "uint32", sizeBytes: 4, segment: 1 });
const WIDE = numberField("wide", "uint64", { offsetBytes: 8, segment: 1 });
const TOP = 2n ** 32n;

const NARROW_TOTALS: { what: string; totals: [bigint, bigint][]; counted: [bigint, bigint] }[] = [
  {
    what: "went around counts on, and the others of its entry do too",
    totals: [[TOP - 10n, 1000n], [5n, 1001n], [6n, 1002n]],
    counted: [TOP + 6n, 1002n],
  },
  {
    what: "fell a little was reset, and the others of its entry with it",
    totals: [[1000n, 50n], [10n, 60n]],
    counted: [1010n, 110n],
  },
  {
    what: "fell while a wide one did too was reset",
    totals: [[TOP - 10n, 1000n], [5n, 3n]],
    counted: [TOP - 5n, 1003n],
  },
];

for (const { what, totals, counted } of NARROW_TOTALS) {
  Deno.test(`a 32-bit total that ${what}`, () => {
    const twins = mapOf({
      values: [valueRole(NARROW, "counter"), valueRole(WIDE, "counter")],
      valueSizeBytes: 16,
    });
    for (const total of totals) twins.pass([rowsOf([entry(1, ...total)])]);
    const values = [0, 1].map((column) => integerAt(twins.store, { column, series: 1 }));
    assertEquals(values, counted);
  });
}

Deno.test("slots take their sum from the field that holds it, also after a reset", () => {
  const sumField = numberField("sum", "uint64", { offsetBytes: 24, segment: 1 });
  const twins = mapOf({
    values: [valueRole(SLOTS, "histogram", { sumField })],
    valueSizeBytes: 32,
  });
  for (const [count, sum] of [[1n, 700n], [3n, 900n], [2n, 50n]]) {
    twins.pass([rowsOf([entry(1, 0n, 0n, count, sum)])]);
  }
  assertEquals(countsAt(twins.store, { column: 0, series: 1 }), [0n, 0n, 5n]);
  assertEquals(sumAt(twins.store, { column: 0, series: 1 }), 950);
});

for (const count of [2, 64, 65]) {
  Deno.test(`a bucket's bound belongs to it, with ${count} boundaries`, () => {
    const boundaries = Array.from({ length: count }, (_, index) => 10 * (index + 1));
    const field = numberField("n", "int64");
    const role = valueRole(field, "histogram", { boundaries });
    const twins = new TwinStores(planOf({ values: [role] }));
    const last = BigInt(10 * count);
    const values = [-1n, 10n, 11n, 20n, last, last + 1n];
    twins.rows(rowsOf(values.map((value) => ({ key: words64(value, 0n) }))));
    const counts = countsAt(twins.store, { column: 0, series: 1 });
    assertEquals([counts[0], counts[1], counts[count]], [2n, count === 2 ? 3n : 2n, 1n]);
  });
}

const POWERS = Array.from({ length: 64 }, (_, power) => 2n ** BigInt(power));
const LOG2_BOUNDS = {
  "powers of two": (from: number, to: number) => POWERS.slice(from, to).map(Number),
  "one less than powers of two": (from: number, to: number) =>
    POWERS.slice(from, to).map((power) => Number(power - 1n)),
};
for (const [name, bounds] of Object.entries(LOG2_BOUNDS)) {
  for (const [from, to] of [[0, 27], [3, 10], [5, 6], [1, 53]]) {
    for (const kind of ["uint32", "uint64", "int64"] as const) {
      Deno.test(`buckets by the number of bits: ${name}, ${from} to ${to}, of a ${kind}`, () => {
        const role = valueRole(numberField("n", kind), "histogram", {
          boundaries: bounds(from, to),
        });
        const twins = new TwinStores(planOf({ values: [role] }));
        assert(twins.compiled.source.includes("clz32"));
        // The interpreter compares with each bound in turn.
        const around = POWERS.flatMap((power) => [power - 1n, power, power + 1n]);
        const values = [...around, ...around.map((value) => -value)];
        twins.rows(rowsOf(values.map((value) => ({ key: words64(value, 0n) }))));
      });
    }
  }
}

Deno.test("text is one key whatever lies behind its NUL, and told apart up to its last byte", () => {
  const text = makeField({ name: "comm", kind: "cstring", sizeBytes: 7 });
  const twins = new TwinStores(planOf({ keys: [text], recordSizeBytes: 7 }));
  const texts = ["ab\0zzzz", "ab\0yy\0y", "abc\0zzz", "abcdefg", "abcdefh", "\0bcdefg", "\0"];
  twins.rows(rowsOf(texts.map((chars) => {
    const key = new Uint8Array(7);
    new TextEncoder().encodeInto(chars, key);
    return { key };
  })));
  const counts = [1, 2, 3, 4, 5].map((series) => integerAt(twins.store, { column: 0, series }));
  assertEquals([counts, twins.store.memory.count], [[2n, 1n, 1n, 1n, 2n], 6]);
});

Deno.test("a text that half a surrogate pair would be encoded as does not match that half", () => {
  const field = makeField({ name: "comm", kind: "cstring", sizeBytes: 8 });
  const filter: FilterTerm[] = [{ type: "text", field, operator: "==", value: "\ud800" }];
  const twins = new TwinStores(planOf({ filter, recordSizeBytes: 8 }));
  twins.rows(rowsOf([{ key: Uint8Array.of(0xef, 0xbf, 0xbd, 0, 0, 0, 0, 0) }]));
  assertEquals(twins.store.memory.stats.filtered, 1);
});

for (const atomicHeaders of [false, true]) {
  Deno.test(`a ring is read up to what is being written, atomic ${atomicHeaders}`, () => {
    const keys = [numberField("id", "uint64")];
    const twins = new TwinStores(planOf({ keys, recordSizeBytes: 12 }), { atomicHeaders });
    const record = (id: bigint) => words64(id, 0n).subarray(0, 12);
    const batch = ringOf([
      { bytes: record(1n) },
      { bytes: record(9n), state: "discarded" },
      { bytes: record(1n).subarray(0, 3) },
      { bytes: record(2n) },
      { bytes: record(3n), state: "busy" },
      { bytes: record(4n) },
    ], 8);
    const at = twins.ring(batch);
    assertEquals([at, twins.store.memory.stats.received, twins.store.memory.stats.shortRecords], [
      8 + 4 * 24 - 8,
      3,
      1,
    ]);
    assertEquals(integerAt(twins.store, { column: 0, series: 1 }), 2n);
    // The writer has finished: reading goes on where it stopped.
    batch.view.setUint32(at, 12, true);
    assertEquals(twins.ring({ ...batch, begin: at }), batch.end);
    assertEquals([twins.store.memory.stats.received, twins.store.memory.liveCount], [5, 4]);
  });
}

Deno.test("arrays that grow within a batch are used at once", () => {
  const keys = [numberField("id", "uint64")];
  const values = [
    valueRole(keys[0], "counter"),
    valueRole(keys[0], "histogram", { boundaries: [500] }),
  ];
  const twins = new TwinStores(planOf({ keys, values, ttlMs: 50, recordSizeBytes: 8 }));
  const records = Array.from({ length: 1000 }, (_, id) => ({ bytes: words64(BigInt(id)) }));
  twins.ring(ringOf([...records, ...records]));
  assertEquals([twins.store.memory.liveCount, sumAt(twins.store, { column: 1, series: 1000 })], [
    1000,
    2 * 999,
  ]);
  assertEquals(integerAt(twins.store, { column: 0, series: 1000 }), 2n * 999n);
});
