// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { EntryStore } from "../../../src/metrics/mod.ts";
import { oneWordStore, seriesOf, words32 } from "./plans.ts";

/** Entries with keys of one word that feed the series of `key % seriesCount`. */
function entriesOver(seriesCount: number) {
  const store = oneWordStore();
  const entries = new EntryStore(store, { keySizeBytes: 4, valueSizeBytes: 10 });
  const find = (key: number) => {
    entries.scratch[0] = key;
    return entries.find();
  };
  /** Meets the key in the pass, as ingest does. */
  const meet = (key: number) => {
    const entry = find(key);
    if (entry < 0) return entries.insert(seriesOf(store, key % seriesCount));
    entries.lastPass[entry] = entries.pass;
    return entry;
  };
  return { store, entries, find, meet };
}

Deno.test("entries are found again after many doublings, with their values", () => {
  const { entries, find, meet } = entriesOver(10);
  entries.beginPass();
  for (let key = 0; key < 5_000; key++) {
    const entry = meet(key);
    entries.values.fill(key, entry * 3, entry * 3 + 3);
  }
  assertEquals([entries.size, find(5_000)], [5_000, -1]);
  for (let key = 0; key < 5_000; key++) {
    const entry = find(key);
    assertEquals([entry, entries.values[entry * 3 + 2]], [key, key]);
    assertEquals(entries.valueView.getInt32(entry * 12, true), key);
  }
});

Deno.test("an entry that a pass does not meet is forgotten; the others keep everything", () => {
  const { entries, find, meet } = entriesOver(100);
  entries.beginPass();
  for (let key = 0; key < 200; key++) entries.values[meet(key) * 3] = key + 1000;
  entries.endPass();
  entries.beginPass();
  for (let key = 0; key < 200; key += 3) meet(key);
  entries.endPass();
  assertEquals(entries.size, 67);
  for (let key = 0; key < 200; key++) {
    const entry = find(key);
    assertEquals(entry >= 0, key % 3 === 0);
    if (entry >= 0) assertEquals(entries.values[entry * 3], key + 1000);
  }
  // A key that returns is new: what it held before is not its last value.
  entries.beginPass();
  assertEquals(entries.values[meet(1) * 3], 0);
});

Deno.test("a series leaves with its last entry and returns with the next", () => {
  const { store, entries, meet } = entriesOver(1);
  const passes: number[][] = [[0, 1], [1], [], [2]];
  const live = passes.map((keys) => {
    entries.beginPass();
    for (const key of keys) meet(key);
    entries.endPass();
    return store.memory.isLive(1);
  });
  assertEquals(live, [true, true, false, true]);
});

Deno.test("an entry that moves takes its share of both series' lives along", () => {
  const { store, entries, meet } = entriesOver(1);
  const [first, second] = [seriesOf(store, 0), seriesOf(store, 70)];
  entries.beginPass();
  const entry = meet(0);
  entries.move(entry, second);
  assertEquals([store.memory.isLive(first), store.memory.isLive(second), entries.series[entry]], [
    false,
    true,
    second,
  ]);
  entries.move(entry, first);
  assertEquals([store.memory.isLive(first), store.memory.isLive(second)], [true, false]);
});

Deno.test("an entry whose series lost its id, and got it back for its key, still keeps it alive", () => {
  const { store, entries, meet } = entriesOver(1);
  const series = seriesOf(store, 0);
  entries.beginPass();
  const entry = meet(0);
  // As `restart` and a return after a ttl do: the same id, another generation.
  store.restart(series);
  entries.move(entry, series);
  const other = meet(1);
  assertEquals(entries.series[other], series);
  entries.endPass();
  entries.beginPass();
  meet(0);
  entries.endPass();
  assertEquals(store.memory.isLive(series), true);
  entries.beginPass();
  entries.endPass();
  assertEquals(store.memory.isLive(series), false);
});

Deno.test("a hidden entry stays, keeps its value and feeds no series until it moves", () => {
  const { store, entries, find, meet } = entriesOver(1);
  entries.beginPass();
  const entry = meet(0);
  entries.values[entry * 3] = 9;
  entries.beginPass();
  entries.hide(entry);
  entries.hide(entry);
  entries.endPass();
  assertEquals([find(0), entries.values[entry * 3], store.memory.isLive(1)], [entry, 9, false]);
  entries.move(entry, 1);
  assertEquals(store.memory.isLive(1), true);
});

Deno.test("idle keys are those that changed the longest ago, without the padding of the store", () => {
  const store = oneWordStore();
  const entries = new EntryStore(store, { keySizeBytes: 3, valueSizeBytes: 4 });
  [5, 1, 4, 2, 4].forEach((change, key) => {
    entries.scratch[0] = key + 1;
    entries.lastChange[entries.insert(seriesOf(store, key))] = change;
  });
  const idle = (count: number) => [...entries.copyIdleKeys(count, 3)];
  assertEquals(idle(0), []);
  assertEquals(idle(1), [2, 0, 0]);
  // Of two that changed in the same pass, any.
  assertEquals(idle(3), [2, 0, 0, 3, 0, 0, 4, 0, 0]);
  assertEquals(idle(4), [2, 0, 0, 3, 0, 0, 4, 0, 0, 5, 0, 0]);
  assertEquals(idle(9).length, 15);
});

Deno.test("an entry taken out of the map starts from zero if it returns", () => {
  const { entries, find, meet } = entriesOver(5);
  entries.beginPass();
  for (let key = 0; key < 4; key++) entries.values.fill(7, meet(key) * 3, meet(key) * 3 + 3);
  entries.forgetValues({ view: new DataView(words32(1, 3, 99).buffer), strideBytes: 4, count: 3 });
  const values = [0, 1, 2, 3].map((key) => entries.values[find(key) * 3 + 2]);
  assertEquals(values, [7, 0, 7, 0]);
});
