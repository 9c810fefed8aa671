// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { FetchRunner, type FetchRunnerOptions } from "../../../src/engine/fetch_runner.ts";
import type { DataSourceSpec } from "../../../src/gadget/mod.ts";

const SPEC: DataSourceSpec = {
  name: "entries",
  origin: { kind: "mapiter", map: "entries_map" },
  fields: [],
  tags: [],
  recordSizeBytes: 4,
  valueSizeBytes: 8,
  annotations: {},
};

/** A runner whose fetches end when told to, and what has happened so far. */
function controlled(options: Partial<FetchRunnerOptions> = {}) {
  const log: string[] = [];
  const ends: (() => void)[] = [];
  let begun = 0;
  const runner = new FetchRunner(SPEC, {
    fetch: async (process) => {
      const number = ++begun;
      log.push(`begin ${number}`);
      await new Promise<void>((resolve) => ends.push(resolve));
      const view = new DataView(new ArrayBuffer(12));
      process({ view, strideBytes: 4, valueView: view, valueStrideBytes: 8, count: 1 });
      log.push(`end ${number}`);
    },
    isDrained: false,
    fetchesAtEnd: false,
    filter: [],
    formatters: new Map(),
    subscribers: [],
    lateSchedule: { intervalMs: 1000, count: 0 },
    onLeftOut: (count) => log.push(`${count} left out`),
    onError: (error) => log.push(String(error)),
    free: () => log.push("free"),
    ...options,
  });
  /** Ends the fetch under way and lets everything that follows from it happen. */
  const settle = async () => {
    ends.shift()?.();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { runner, log, settle };
}

Deno.test("scrapes that come together share a fetch; a later one waits for a fetch of its own", async () => {
  const { runner, log, settle } = controlled();
  const first = [runner.refresh(), runner.refresh()];
  await settle();
  const second = [runner.refresh(), runner.refresh()];
  await settle();
  await Promise.all(first);
  assertEquals(log, ["begin 1", "end 1", "begin 2"]);
  await settle();
  await Promise.all(second);
  assertEquals([log.slice(3), runner.received], [["end 2"], 2]);
});

Deno.test("a fetch that fails tells who asked for it, and the next one begins", async () => {
  let count = 0;
  const { runner } = controlled({
    fetch: () => {
      return ++count === 1 ? Promise.reject(new Error("map is gone")) : Promise.resolve();
    },
  });
  const failed = await runner.refresh().catch(String);
  await runner.refresh();
  assertEquals([failed, count], ["Error: map is gone", 2]);
});

Deno.test("closing waits for the fetch under way, frees then, and lets no other begin", async () => {
  const { runner, log, settle } = controlled();
  const refreshed = runner.refresh();
  await settle();
  const closed = runner.close();
  const late = runner.refresh();
  assertEquals([runner.close() === closed, log], [true, ["begin 1"]]);
  await settle();
  await Promise.all([refreshed, closed, late]);
  await runner.refresh();
  assertEquals(log, ["begin 1", "end 1", "free"]);
});

Deno.test("closing fetches once more where that is due, after the timer's own fetch", async () => {
  const { runner, log, settle } = controlled({
    schedule: { intervalMs: 0, count: 0 },
    subscribers: [{ take: () => void log.push("shown") }],
    fetchesAtEnd: true,
  });
  while (log.length === 0) await settle();
  const closed = runner.close();
  for (let turn = 0; turn < 3; turn++) await settle();
  await closed;
  assertEquals(log, ["begin 1", "end 1", "shown", "begin 2", "end 2", "shown", "free"]);
});

Deno.test("closing does not repeat the last fetch of a limited schedule that is under way", async () => {
  const { runner, log, settle } = controlled({
    schedule: { intervalMs: 0, count: 1 },
    fetchesAtEnd: true,
  });
  while (log.length === 0) await settle();
  const closed = runner.close();
  await settle();
  await closed;
  assertEquals(log, ["begin 1", "end 1", "free"]);
});

Deno.test("what is drained is not fetched for a scrape", async () => {
  const { runner, log } = controlled({ isDrained: true });
  await runner.refresh();
  assertEquals(log, []);
});
