// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { OVERFLOW_SERIES, SeriesStore } from "../../../src/metrics/mod.ts";
import { integerAt, numberField, oneWordStore, planOf, seriesOf, valueRole } from "./_plans.ts";

const COLUMNS = [
  valueRole(numberField("total", "uint64"), "counter"),
  valueRole(numberField("load", "float64"), "gauge"),
  valueRole(numberField("latency", "uint64"), "histogram", { boundaries: [1, 2] }),
];

Deno.test("keys and values survive many doublings", () => {
  const store = oneWordStore({ values: COLUMNS, limit: 100_000 });
  const count = 20_000;
  for (let word = 0; word < count; word++) {
    const series = seriesOf(store, word);
    assertEquals(series, word + 1);
    store.columns[0].values[2 * series + 1] = word;
    store.columns[1].values[series] = word / 2;
    store.columns[2].values[6 * series + 5] = word;
    store.columns[2].sums[series] = word;
  }
  assertEquals(store.seriesCount, count + 1);
  for (let word = 0; word < count; word++) {
    const series = seriesOf(store, word);
    const [total, load, latency] = store.columns;
    assertEquals(
      [total.values[2 * series + 1], load.values[series], latency.values[6 * series + 5]],
      [word, word / 2, word],
    );
    assertEquals([series, latency.sums[series], store.live[series]], [word + 1, word, 1]);
  }
});

Deno.test("keys over the limit share the overflow series, and every record of theirs is counted", () => {
  const store = oneWordStore({ limit: 2 });
  assertEquals([10, 11, 12, 13, 12, 10].map((word) => seriesOf(store, word)), [
    1,
    2,
    OVERFLOW_SERIES,
    OVERFLOW_SERIES,
    OVERFLOW_SERIES,
    1,
  ]);
  assertEquals([store.overflowed, store.liveCount, store.live[OVERFLOW_SERIES]], [3, 2, 1]);
});

Deno.test("the overflow series is not exported before something overflows, and cannot be killed", () => {
  const store = oneWordStore({ limit: 1 });
  seriesOf(store, 1);
  assertEquals(store.live[OVERFLOW_SERIES], 0);
  seriesOf(store, 2);
  store.kill(OVERFLOW_SERIES);
  assertEquals(store.live[OVERFLOW_SERIES], 1);
});

Deno.test("a killed series keeps its value for its key's return", () => {
  const store = oneWordStore();
  const series = seriesOf(store, 7);
  store.columns[0].values[2 * series] = 5;
  store.kill(series);
  store.kill(series);
  assertEquals([store.live[series], store.liveCount], [0, 0]);
  assertEquals(seriesOf(store, 7), series);
  store.revive(series);
  store.revive(series);
  assertEquals([store.live[series], store.liveCount, store.generation(series)], [1, 1, 0]);
  assertEquals(integerAt(store, { column: 0, series }), 5n);
});

Deno.test("at the limit, ids of dead series go to new keys: from zero, in another generation", () => {
  const store = oneWordStore({ values: COLUMNS, limit: 3 });
  const [first, second, third] = [1, 2, 3].map((word) => seriesOf(store, word));
  for (const { values, sums } of store.columns) {
    values.fill(9);
    sums.fill(9);
  }
  store.kill(first);
  store.kill(second);
  const fourth = seriesOf(store, 4);
  assert([first, second].includes(fourth));
  assertEquals([store.generation(fourth), store.generation(third)], [1, 0]);
  const [total, load, latency] = store.columns;
  assertEquals([total.values[2 * fourth], load.values[fourth], latency.sums[fourth]], [0, 0, 0]);
  assertEquals(Array.from(latency.values.subarray(6 * fourth, 6 * fourth + 6)), [0, 0, 0, 0, 0, 0]);
  assertEquals([total.values[2 * third], latency.values[6 * third]], [9, 9]);
  // The keys that were reclaimed are forgotten, the others are still found.
  assertEquals(seriesOf(store, 3), third);
  assertNotEquals(seriesOf(store, 1), fourth);
  assertEquals([store.liveCount, seriesOf(store, 2)], [3, OVERFLOW_SERIES]);
});

Deno.test("ids stay consistent with their keys whatever dies and returns", () => {
  const store = oneWordStore({ limit: 50 });
  const owner = new Map<number, number>();
  for (let step = 0; step < 5_000; step++) {
    const word = Math.imul(step, 0x9e3779b1) >>> 24;
    const series = seriesOf(store, word);
    if (series !== OVERFLOW_SERIES) {
      store.revive(series);
      assertEquals(store.keys[series], word);
      owner.set(series, word);
    }
    if (step % 3 === 0) store.kill(1 + step % 50);
  }
  const live = [...owner.keys()].filter((series) => store.live[series] === 1);
  assertEquals([live.length, store.seriesCount], [store.liveCount, 51]);
});

Deno.test("clear forgets keys, values and overflow, and changes generations", () => {
  const store = oneWordStore({ limit: 1 });
  const series = seriesOf(store, 1);
  seriesOf(store, 2);
  store.columns[0].values.fill(3);
  store.clear();
  assertEquals([store.seriesCount, store.liveCount, store.live[OVERFLOW_SERIES]], [1, 0, 0]);
  assertEquals(seriesOf(store, 2), series);
  assertEquals([integerAt(store, { column: 0, series }), store.generation(series)], [0n, 1]);
});

for (const limit of [0, 1, 100]) {
  Deno.test(`without keys there is one series from the start, at a limit of ${limit} too`, () => {
    const store = new SeriesStore(planOf({ limit, ttlMs: 5 }));
    const state = () => [store.seriesCount, store.live[1], store.live[OVERFLOW_SERIES]];
    assertEquals([state(), store.findOrInsert()], [[2, 1, 0], 1]);
    store.kill(1);
    assertEquals(state(), [2, 1, 0]);
    store.columns[0].values[2] = 8;
    store.advance(1_000_000, 5);
    assertEquals([state(), integerAt(store, { column: 0, series: 1 })], [[2, 1, 0], 8n]);
    store.clear();
    assertEquals([state(), integerAt(store, { column: 0, series: 1 })], [[2, 1, 0], 0n]);
  });
}

const LATELY = Infinity;

Deno.test("a series leaves when its last record is older than the ttl", () => {
  const store = oneWordStore({ ttlMs: 100 });
  const series = seriesOf(store, 1);
  const states = [
    // Rarer than the ttl, but with records in between.
    { nowMs: 1_000, seen: true },
    { nowMs: 5_000, seen: true },
    { nowMs: 5_100, seen: false },
    { nowMs: 5_101, seen: false },
  ].map(({ nowMs, seen }) => {
    if (seen) store.lastSeen[series] = LATELY;
    store.advance(nowMs, 100);
    return store.live[series];
  });
  assertEquals(states, [1, 1, 1, 0]);
});

Deno.test("a series that left by ttl starts from zero if its key returns", () => {
  const store = oneWordStore({ ttlMs: 100 });
  const series = seriesOf(store, 1);
  store.columns[0].values[2 * series] = 4;
  store.lastSeen[series] = LATELY;
  store.advance(1_000, 100);
  store.advance(2_000, 100);
  assertEquals([seriesOf(store, 1), store.liveCount], [series, 0]);
  store.revive(series);
  assertEquals([integerAt(store, { column: 0, series }), store.liveCount], [0n, 1]);
});

Deno.test("the ttl works after more ms than an int32 holds", () => {
  const store = oneWordStore({ ttlMs: 100 });
  const series = seriesOf(store, 1);
  const daysLater = 2 ** 31 + 12_345;
  store.lastSeen[series] = LATELY;
  store.advance(daysLater, 100);
  store.advance(daysLater + 50, 100);
  assertEquals(store.live[series], 1);
  store.advance(daysLater + 101, 100);
  assertEquals(store.live[series], 0);
});
