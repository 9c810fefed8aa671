/** What pages say of series that come, leave and return: by events, map entries and iterators. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { Exposition } from "../../../src/export/mod.ts";
import { createMetricSet } from "../../../src/metrics/mod.ts";
import { pageText } from "../export/fake_metric_set.ts";
import { TwinStores } from "./_twin_stores.ts";
import { rowsOf } from "./batches.ts";
import { numberField, planOf, type PlanParts, valueRole, words32, words64 } from "./plans.ts";

const KEY = numberField("key", "uint32");
const IN_EVENT = numberField("total", "uint64", { offsetBytes: 8 });
const IN_MAP = numberField("total", "uint64", { segment: 1 });
const LOAD = numberField("load", "uint64", { segment: 1 });

/** Stores and the lines of their page. */
function paged(parts: PlanParts, options: { followsTotals: boolean }) {
  const plan = planOf({ keys: [KEY], ...parts });
  const twins = new TwinStores(plan, options);
  const exposition = new Exposition();
  const { memory } = twins.store;
  exposition.add(createMetricSet({ scope: "g/ds", plan, memory, formatters: new Map() }));
  const lines = () =>
    pageText(exposition.render("text")).split("\n").filter((line) => /^[a-z]/.test(line))
      .map((line) => line.replace('otel_scope_name="g/ds",', "").replace("total_total", "total"));
  return { twins, lines };
}

function event(key: number, total: bigint) {
  return { key: new Uint8Array([...words32(key, 0), ...words64(total)]) };
}

function entry(key: number, total: bigint) {
  return { key: words32(key, 0, 0, 0), value: words64(total) };
}

const MAP = { recordSizeBytes: 16, valueSizeBytes: 8 };

Deno.test("events: a counter that returns after its ttl begins at zero, exactly once", () => {
  const values = [valueRole(IN_EVENT, "counter")];
  const { twins, lines } = paged({ values, ttlMs: 100 }, { followsTotals: false });
  const pages = ([[0, [5n]], [90, [2n]], [190, []], [191, []], [500, [3n, 1n]]] as const).map(
    ([nowMs, totals]) => {
      twins.advance(nowMs);
      if (totals.length > 0) twins.rows(rowsOf(totals.map((total) => event(1, total))));
      return lines();
    },
  );
  assertEquals(pages, [
    ['total{key="1"} 5'],
    ['total{key="1"} 7'],
    ['total{key="1"} 7'],
    [],
    ['total{key="1"} 4'],
  ]);
});

Deno.test("map entries: what returns after its ttl or its deletion is neither negative nor counted twice", () => {
  const values = [valueRole(IN_MAP, "counter")];
  const { twins, lines } = paged({ ...MAP, values, ttlMs: 100 }, { followsTotals: true });
  const pages = ([
    [0, [entry(1, 10n)]],
    // Its time runs out while it lies in the map.
    [200, [entry(1, 10n)]],
    [300, [entry(1, 12n)]],
    // Deleted, and there again within the ttl, then behind it: with a total that began anew.
    [310, []],
    [320, [entry(1, 4n)]],
    [330, []],
    [900, [entry(1, 3n)]],
  ] as const).map(([nowMs, entries]) => {
    twins.advance(nowMs);
    twins.pass([rowsOf(entries)]);
    return lines().map((line) => Number(line.split(" ")[1]));
  });
  assertEquals(pages, [[10], [], [2], [], [6], [], [3]]);
});

Deno.test("map entries: a gauge leaves with its key, at once", () => {
  const { twins, lines } = paged({ ...MAP, values: [valueRole(LOAD, "gauge")] }, {
    followsTotals: true,
  });
  const pages = [[1, 2], [2], [], [1]].map((keys) => {
    twins.pass([rowsOf(keys.map((key) => entry(key, BigInt(key * 10))))]);
    return lines();
  });
  assertEquals(pages, [
    ['load{key="1"} 10', 'load{key="2"} 20'],
    ['load{key="2"} 20'],
    [],
    ['load{key="1"} 10'],
  ]);
});

Deno.test("iterators: what a run does not meet is not on the page", () => {
  const values = [valueRole(IN_EVENT, "gauge")];
  const { twins, lines } = paged({ values }, { followsTotals: false });
  const pages = [[1, 2], [3], [2, 3]].map((keys) => {
    twins.clear();
    twins.rows(rowsOf(keys.map((key) => event(key, BigInt(key)))));
    return lines();
  });
  assertEquals(pages, [
    ['total{key="1"} 1', 'total{key="2"} 2'],
    ['total{key="3"} 3'],
    ['total{key="2"} 2', 'total{key="3"} 3'],
  ]);
});
