// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { readStatusMetrics } from "../../../src/export/mod.ts";
import { FakeMetricSet, floats, histograms, integers, singleSet } from "./fake_metric_set.ts";

const isServed = () => true;

function counterSet(values: readonly bigint[], options = { signed: false }): FakeMetricSet {
  const rows = values.map((_, row) => [`k${row}`]);
  const column = integers(values, options);
  return singleSet("g/d", { rows, instrument: { type: "counter", name: "c", column } });
}

Deno.test("the series that counted most come first, at most twenty of those that live", async () => {
  const values = Array.from({ length: 10_000 }, (_, row) => BigInt(row * 7919 % 10_007));
  const set = counterSet(values);
  const highest = values.indexOf(10_006n);
  if (highest >= 0) set.dead.add(highest);
  const read = await readStatusMetrics(set, { isServed });
  const sorted = values.filter((_, row) => !set.dead.has(row)).map(Number).sort((a, b) => b - a);
  assertEquals(read?.series.map((series) => series.values[0]), sorted.slice(0, 20));
});

Deno.test("metrics and labels are called as on /metrics, with the prefix", async () => {
  const set = new FakeMetricSet("g/d", ["proc.comm", "le", "proc/comm"], {
    rows: [["a", "b", "c"]],
    instruments: [{
      type: "histogram",
      name: "wait",
      unit: "us",
      description: "Time waited",
      column: histograms([1, 3], [{ counts: [5n, 2n ** 53n, 0n], sum: 7.5 }]),
    }],
  });
  assertEquals(await readStatusMetrics(set, { prefix: "p", isServed }), {
    metrics: [{
      name: "p_wait_microseconds",
      type: "histogram",
      unit: "us",
      help: "Time waited",
      bounds: [1, 3],
    }],
    labelNames: ["proc_comm", "exported_le"],
    series: [{
      id: "0.0",
      labels: { proc_comm: "a;c", exported_le: "b" },
      values: [{ counts: [5, "9007199254740992", 0], sum: 7.5 }],
    }],
  });
});

Deno.test("numbers that JSON does not hold exactly are strings", async () => {
  const read = async (set: FakeMetricSet) =>
    (await readStatusMetrics(set, { isServed }))?.series.map(({ values: [value] }) => value);
  assertEquals(await read(counterSet([2n ** 64n - 1n, 2n ** 53n - 1n])), [
    "18446744073709551615",
    9007199254740991,
  ]);
  assertEquals(await read(counterSet([-5n, -(2n ** 63n)], { signed: true })), [
    -5,
    "-9223372036854775808",
  ]);
  const rows = [["a"], ["b"], ["c"], ["d"]];
  const column = floats([NaN, 0.5, Infinity, -Infinity]);
  const gauge = singleSet("g/d", { rows, instrument: { type: "gauge", name: "v", column } });
  assertEquals(await read(gauge), ["+Inf", 0.5, "NaN", "-Inf"]);
});

Deno.test("long labels are cut between characters", async () => {
  const set = counterSet([1n]);
  set.rows = [["x".repeat(198) + "\u{1f600}".repeat(9)]];
  const read = await readStatusMetrics(set, { isServed });
  assertEquals(read?.series[0].labels.k, "x".repeat(198) + "…");
});

Deno.test("the overflow series says so, and one that goes to another key is left out", async () => {
  const set = counterSet([1n, 2n, 3n]);
  set.overflowSeries = 0;
  set.generations[1] = 3;
  set.generations[2] = 4;
  const read = await readStatusMetrics(set, { isServed });
  assertEquals(read?.series.map(({ id, labels }) => ({ id, labels })), [
    { id: "2.4", labels: { k: "k2" } },
    { id: "0.0", labels: { otel_metric_overflow: "true" } },
  ]);
});

Deno.test("a set that is taken off the page is not read", async () => {
  const set = counterSet([1n]);
  set.instruments[0] = {
    ...set.instruments[0],
    column: () => {
      throw new Error("its memory is gone");
    },
  };
  assertEquals(await readStatusMetrics(set, { isServed: () => false }), undefined);
});
