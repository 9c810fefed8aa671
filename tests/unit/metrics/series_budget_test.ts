// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import {
  allocateSeriesBudget,
  allocateSeriesMemory,
  EntryStore,
  OVERFLOW_SERIES,
  SeriesBudget,
  type SeriesBudgetHandle,
  SeriesMemory,
  SeriesStore,
} from "../../../src/metrics/mod.ts";
import { Random } from "../random.ts";
import { numberField, planOf, type PlanParts, seriesOf } from "./plans.ts";

function storeWithin(budget: SeriesBudgetHandle, parts: PlanParts = {}): SeriesStore {
  const plan = planOf({ keys: [numberField("id", "uint32")], ...parts });
  const handle = allocateSeriesMemory(plan, { isStronglyOrdered: true, budget });
  return new SeriesStore(plan, new SeriesMemory(plan, handle));
}

/** Series of the keys of one batch. */
function batch(store: SeriesStore, keys: readonly number[]): number[] {
  store.makeRoom();
  return keys.map((key) => seriesOf(store, key));
}

/** A store over a map, its entries, and a read of the map. */
function mapWithin(budget: SeriesBudgetHandle) {
  const store = storeWithin(budget);
  const entries = new EntryStore(store, { keySizeBytes: 4, valueSizeBytes: 8 });
  const pass = (keys: readonly number[]) => {
    store.makeRoom();
    entries.beginPass();
    for (const key of keys) {
      entries.scratch[0] = key;
      const entry = entries.find();
      if (entry < 0) entries.insert(seriesOf(store, key));
      else entries.lastPass[entry] = entries.pass;
    }
    entries.endPass();
  };
  return { store, pass };
}

Deno.test("two data sources share the places, and each counts what found none", () => {
  const budget = allocateSeriesBudget(3);
  const [first, second] = [storeWithin(budget), storeWithin(budget, { limit: 10 })];
  assertEquals(batch(first, [1, 2, 1]), [1, 2, 1]);
  assertEquals(batch(second, [1, 2, 3, 2, 1]), [1, 0, 0, 0, 1]);
  assertEquals(batch(first, [3, 1]), [OVERFLOW_SERIES, 1]);
  const seen = [first, second].map(({ memory }) => [
    memory.liveCount,
    memory.stats.overflowed,
    memory.isLive(OVERFLOW_SERIES),
  ]);
  assertEquals(seen, [[2, 1, true], [1, 3, true]]);
  assertEquals(new SeriesBudget(budget).taken, 3);
});

Deno.test("what found no place finds one when there is one", () => {
  const budget = allocateSeriesBudget(2);
  const iterator = storeWithin(budget);
  const events = storeWithin(budget);
  assertEquals(batch(iterator, [1, 2]), [1, 2]);
  assertEquals(batch(events, [7]), [OVERFLOW_SERIES]);
  iterator.clear();
  assertEquals(batch(events, [7, 8, 9]), [1, 2, OVERFLOW_SERIES]);
});

Deno.test("series whose time has run out give their place back, once", () => {
  const budget = allocateSeriesBudget(3);
  const idle = storeWithin(budget, { ttlMs: 100 });
  const busy = storeWithin(budget);
  for (const key of [1, 2]) seriesOf(idle, key);
  idle.nowMs = 60;
  seriesOf(idle, 3);
  assertEquals(batch(busy, [1]), [OVERFLOW_SERIES]);
  for (const nowMs of [120, 140, 150]) {
    idle.nowMs = nowMs;
    idle.makeRoom();
  }
  assertEquals(new SeriesBudget(budget).taken, 1);
  assertEquals(batch(busy, [1, 2, 3]), [1, 2, OVERFLOW_SERIES]);
  assertEquals([idle.memory.liveCount, seriesOf(idle, 3), seriesOf(idle, 1)], [1, 3, 0]);
});

Deno.test("series whose map key has left give their place back when it is wanted", () => {
  const budget = allocateSeriesBudget(3);
  const { store, pass } = mapWithin(budget);
  const events = storeWithin(budget);
  pass([1, 2]);
  pass([2]);
  // Nobody wants it: the key may return and go on.
  assertEquals(new SeriesBudget(budget).taken, 2);
  seriesOf(events, 1);
  assertEquals(batch(events, [2]), [OVERFLOW_SERIES]);
  pass([2]);
  assertEquals(batch(events, [2, 3]), [2, OVERFLOW_SERIES]);
  pass([1, 2]);
  assertEquals([store.memory.liveCount, store.memory.stats.overflowed], [1, 1]);
});

Deno.test("without keys there is a series whatever the limit", () => {
  const budget = allocateSeriesBudget(1);
  const counter = storeWithin(budget, { keys: [] });
  const other = storeWithin(budget);
  assertEquals([counter.findOrInsert(), seriesOf(other, 1)], [1, 1]);
});

Deno.test("places taken are always those of series that have a key", () => {
  const random = new Random(5);
  const budget = allocateSeriesBudget(40);
  const stores = [{}, { limit: 20 }, { ttlMs: 50 }, { ttlMs: 50, limit: 30 }].map((parts) =>
    storeWithin(budget, parts)
  );
  let nowMs = 0;
  for (let step = 0; step < 20_000; step++) {
    const store = random.pick(stores);
    store.nowMs = nowMs += random.between(0, 2);
    const action = random.between(0, 100);
    if (action === 0) store.clear();
    else if (action < 10) store.makeRoom();
    else if (action < 30) store.kill(random.between(1, Math.max(1, store.memory.count - 1)));
    else {
      const series = seriesOf(store, random.between(0, 60));
      // As entries do.
      store.revive(series);
    }
    const owned = stores.map(({ memory }) =>
      Array.from({ length: memory.count - 1 }, (_, row) => memory.generation(row + 1))
        .filter((generation) => generation % 2 === 0).length
    );
    const taken = owned.reduce((sum, count) => sum + count, 0);
    assertEquals(new SeriesBudget(budget).taken, taken, `step ${step}`);
    assert(taken <= 40);
  }
});

Deno.test("threads never take more places than there are, nor fewer", async () => {
  const budget = allocateSeriesBudget(50_000);
  const url = new URL("./_budget_worker.ts", import.meta.url);
  const taken = await Promise.all([1, 2].map(() => {
    const worker = new Worker(url, { type: "module" });
    const { promise, resolve } = Promise.withResolvers<number>();
    worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
    worker.postMessage(budget);
    return promise;
  }));
  assertEquals(taken[0] + taken[1], 50_000);
});
