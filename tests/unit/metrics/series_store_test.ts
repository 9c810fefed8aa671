// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { OVERFLOW_SERIES, SeriesMemory, SeriesStore } from "../../../src/metrics/mod.ts";
import {
  cellAt,
  countsAt,
  floatAt,
  integerAt,
  numberField,
  oneWordStore,
  planOf,
  seriesOf,
  sumAt,
  valueRole,
} from "./plans.ts";

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
    store.memory.cells[cellAt(store, { column: 0, series })] = BigInt(word) << 32n;
    store.memory.floats[cellAt(store, { column: 1, series })] = word / 2;
    store.memory.cells[cellAt(store, { column: 2, series }) + 2] = BigInt(word);
    store.memory.floats[cellAt(store, { column: 2, series }) + 3] = word;
  }
  assertEquals(store.memory.count, count + 1);
  for (let word = 0; word < count; word++) {
    const series = seriesOf(store, word);
    const values = [
      series,
      Number(integerAt(store, { column: 0, series }) >> 32n),
      floatAt(store, { column: 1, series }),
      Number(countsAt(store, { column: 2, series })[2]),
      sumAt(store, { column: 2, series }),
    ];
    assertEquals(values, [word + 1, word, word / 2, word, word]);
  }
  assertEquals(store.memory.liveCount, count);
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
  assertEquals([
    store.memory.stats.overflowed,
    store.memory.liveCount,
    store.memory.isLive(OVERFLOW_SERIES),
  ], [3, 2, true]);
});

Deno.test("the overflow series is not exported before something overflows, and cannot be killed", () => {
  const store = oneWordStore({ limit: 1 });
  seriesOf(store, 1);
  assertEquals(store.memory.isLive(OVERFLOW_SERIES), false);
  seriesOf(store, 2);
  store.kill(OVERFLOW_SERIES);
  assertEquals(store.memory.isLive(OVERFLOW_SERIES), true);
});

Deno.test("a killed series keeps its value for its key's return", () => {
  const store = oneWordStore();
  const series = seriesOf(store, 7);
  store.memory.cells[cellAt(store, { column: 0, series })] = 5n;
  store.kill(series);
  store.kill(series);
  assertEquals([store.memory.isLive(series), store.memory.liveCount], [false, 0]);
  assertEquals(seriesOf(store, 7), series);
  store.revive(series);
  store.revive(series);
  assertEquals([
    store.memory.isLive(series),
    store.memory.liveCount,
    store.memory.generation(series),
  ], [true, 1, 0]);
  assertEquals(integerAt(store, { column: 0, series }), 5n);
});

Deno.test("at the limit, ids of dead series go to new keys: from zero, in another generation", () => {
  const store = oneWordStore({ values: COLUMNS, limit: 3 });
  const [first, second, third] = [1, 2, 3].map((word) => seriesOf(store, word));
  for (const series of [first, second, third]) {
    for (const column of [0, 1, 2]) store.memory.cells[cellAt(store, { column, series })] = 9n;
    store.memory.cells[cellAt(store, { column: 2, series }) + 3] = 9n;
  }
  store.kill(first);
  store.kill(second);
  const fourth = seriesOf(store, 4);
  assert([first, second].includes(fourth));
  assertEquals([store.memory.generation(fourth), store.memory.generation(third)], [2, 0]);
  const values = (series: number) => [
    ...[0, 1].map((column) => integerAt(store, { column, series })),
    ...countsAt(store, { column: 2, series }),
    sumAt(store, { column: 2, series }),
  ];
  assertEquals([values(fourth), values(third).slice(0, 3)], [[0n, 0n, 0n, 0n, 0n, 0], [
    9n,
    9n,
    9n,
  ]]);
  // The keys that were reclaimed are forgotten, the others are still found.
  assertEquals(seriesOf(store, 3), third);
  assertNotEquals(seriesOf(store, 1), fourth);
  assertEquals([store.memory.liveCount, seriesOf(store, 2)], [3, OVERFLOW_SERIES]);
});

Deno.test("ids stay consistent with their keys whatever dies and returns", () => {
  const store = oneWordStore({ limit: 50 });
  const owner = new Map<number, number>();
  for (let step = 0; step < 5_000; step++) {
    const word = Math.imul(step, 0x9e3779b1) >>> 24;
    const series = seriesOf(store, word);
    if (series !== OVERFLOW_SERIES) {
      store.revive(series);
      assertEquals(store.memory.words[store.memory.keyAt(series)], word);
      owner.set(series, word);
    }
    if (step % 3 === 0) store.kill(1 + step % 50);
  }
  const live = [...owner.keys()].filter((series) => store.memory.isLive(series));
  assertEquals([live.length, store.memory.count], [store.memory.liveCount, 51]);
});

Deno.test("clear forgets keys, values and overflow, and changes generations", () => {
  const store = oneWordStore({ limit: 1 });
  const series = seriesOf(store, 1);
  seriesOf(store, 2);
  store.memory.cells[cellAt(store, { column: 0, series })] = 3n;
  store.clear();
  assertEquals([store.memory.count, store.memory.liveCount, store.memory.isLive(OVERFLOW_SERIES)], [
    1,
    0,
    false,
  ]);
  assertEquals(seriesOf(store, 2), series);
  assertEquals([integerAt(store, { column: 0, series }), store.memory.generation(series)], [0n, 2]);
});

for (const limit of [0, 1, 100]) {
  Deno.test(`without keys there is one series from the start, at a limit of ${limit} too`, () => {
    const { memory, ...store } = keylessStore(limit);
    const state = () => [memory.count, memory.isLive(1), memory.isLive(OVERFLOW_SERIES)];
    assertEquals([state(), store.find()], [[2, true, false], 1]);
    store.kill();
    assertEquals(state(), [2, true, false]);
    store.set(8n);
    memory.hiddenBeforeMs = 1_000_000;
    assertEquals([state(), store.value()], [[2, true, false], 8n]);
    store.clear();
    assertEquals([state(), store.value()], [[2, true, false], 0n]);
  });
}

function keylessStore(limit: number) {
  const store = new SeriesStore(planOf({ limit, ttlMs: 5 }));
  const place = { column: 0, series: 1 };
  return {
    memory: store.memory,
    find: () => store.findOrInsert(),
    kill: () => store.kill(1),
    clear: () => store.clear(),
    set: (value: bigint) => store.memory.cells[cellAt(store, place)] = value,
    value: () => integerAt(store, place),
  };
}

/** Tells a store and its reader what time it is. */
function setTime(store: SeriesStore, { nowMs, ttlMs }: { nowMs: number; ttlMs: number }): void {
  store.nowMs = nowMs;
  store.memory.hiddenBeforeMs = nowMs - ttlMs;
}

for (const start of [0, 2 ** 31 + 12_345]) {
  Deno.test(`a series leaves when its last record is older than the ttl, from ${start} ms on`, () => {
    const ttlMs = 100;
    const store = oneWordStore({ ttlMs });
    setTime(store, { nowMs: start, ttlMs });
    const series = seriesOf(store, 1);
    const states = [
      // Rarer than the ttl, but with records in between.
      { afterMs: 1_000, seen: true },
      { afterMs: 5_000, seen: true },
      { afterMs: 5_100, seen: false },
      { afterMs: 5_101, seen: false },
    ].map(({ afterMs, seen }) => {
      setTime(store, { nowMs: start + afterMs, ttlMs });
      if (seen) seriesOf(store, 1);
      return [store.memory.isLive(series), store.memory.liveCount];
    });
    assertEquals(states, [[true, 1], [true, 1], [true, 1], [false, 0]]);
  });
}

Deno.test("a series that left by ttl starts from zero if its key returns", () => {
  const ttlMs = 100;
  const store = oneWordStore({ ttlMs });
  setTime(store, { nowMs: 1_000, ttlMs });
  const series = seriesOf(store, 1);
  store.memory.cells[cellAt(store, { column: 0, series })] = 4n;
  setTime(store, { nowMs: 2_000, ttlMs });
  assertEquals([seriesOf(store, 1), store.memory.liveCount], [series, 1]);
  assertEquals(integerAt(store, { column: 0, series }), 0n);
});

Deno.test("a dead series whose time has run out stays dead until it is revived", () => {
  const ttlMs = 100;
  const store = oneWordStore({ ttlMs });
  setTime(store, { nowMs: 1_000, ttlMs });
  const series = seriesOf(store, 1);
  store.kill(series);
  setTime(store, { nowMs: 2_000, ttlMs });
  assertEquals([seriesOf(store, 1), store.memory.stats.live], [series, 0]);
  store.revive(series);
  assertEquals([store.memory.stats.live, store.memory.liveCount], [1, 1]);
});

Deno.test("at the limit, ids of series that left by ttl go to new keys", () => {
  const ttlMs = 80;
  const store = oneWordStore({ ttlMs, limit: 2 });
  const series = [0, 50, 60, 85, 86, 96].map((nowMs, word) => {
    setTime(store, { nowMs, ttlMs });
    return seriesOf(store, word);
  });
  // At 85 the first has left; at 86 it is too early to look again; at 96 none has left.
  assertEquals(series, [1, 2, OVERFLOW_SERIES, 1, OVERFLOW_SERIES, OVERFLOW_SERIES]);
  setTime(store, { nowMs: 140, ttlMs });
  assertEquals([seriesOf(store, 6), store.memory.liveCount], [2, 2]);
});

Deno.test("with a ttl, keys that never come back take no more room than those that live", () => {
  const ttlMs = 80;
  const store = oneWordStore({ ttlMs, limit: 100_000 });
  for (let word = 0; word < 20_000; word++) {
    setTime(store, { nowMs: word, ttlMs });
    seriesOf(store, word);
  }
  assert(store.memory.capacity <= 256, `room for ${store.memory.capacity} series`);
  assertEquals([store.memory.liveCount, store.memory.stats.overflowed], [81, 0]);
});

Deno.test("keys are found while series move to a new table, however they come", () => {
  const store = oneWordStore({ limit: 100_000 });
  // Each round doubles the keys: the table grows in the middle of it, and all are asked for at once.
  for (let count = 50; count < 20_000; count *= 2) {
    for (let word = count - 1; word >= 0; word -= 1 + word % 3) seriesOf(store, word);
    const ids = new Set(Array.from({ length: count }, (_, word) => seriesOf(store, word)));
    assertEquals([ids.size, store.memory.count], [count, count + 1]);
  }
});

Deno.test("rows that one thread adds are seen by another's view of the same memory", () => {
  const plan = planOf({ keys: [numberField("id", "uint32")], limit: 5_000 });
  const store = new SeriesStore(plan);
  const reader = new SeriesMemory(plan, structuredClone(store.memory.handle));
  for (let word = 0; word < 5_000; word++) {
    store.memory.cells[cellAt(store, { column: 0, series: seriesOf(store, word) })] = BigInt(word);
  }
  assertEquals([reader.count, reader.liveCount, reader.isLive(5_000)], [5_001, 5_000, true]);
  const { cells, stride, offset } = reader.column(0);
  assertEquals([reader.words[reader.keyAt(5_000)], cells[5_000 * stride + offset]], [
    4_999,
    4_999n,
  ]);
});
