// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { snapshotMetrics } from "../../../src/operators/mod.ts";
import { FakeMetricSet, floats, histograms, integers } from "../export/fake_metric_set.ts";

Deno.test("a snapshot has what lives, exactly", () => {
  const set = new FakeMetricSet("g/ds", ["comm"], {
    rows: [["a"], ["b"], ["gone"]],
    instruments: [
      { type: "counter", name: "count", column: integers([2n ** 63n, 1n, 9n]) },
      { type: "gauge", name: "load", unit: "1", column: floats([0.5, NaN, 9]) },
      {
        type: "histogram",
        name: "latency",
        column: histograms([1, 2], [
          { counts: [1n, 0n, 2n], sum: 7 },
          { counts: [0n, 0n, 0n], sum: 0 },
          { counts: [9n, 9n, 9n], sum: 9 },
        ]),
      },
    ],
  });
  set.dead.add(2);
  set.overflowSeries = 1;
  const [count, load, latency] = snapshotMetrics([set]);
  assertEquals(count, {
    scope: "g/ds",
    name: "count",
    type: "counter",
    unit: "",
    description: "Help of count.",
    series: [
      { labels: { comm: "a" }, value: 2n ** 63n },
      { labels: { otel_metric_overflow: "true" }, value: 1n },
    ],
  });
  assertEquals(load.series.map(({ value }) => value), [0.5, NaN]);
  assertEquals(latency.series[0].histogram, {
    count: 3n,
    sum: 7,
    buckets: [
      { upperBound: 1, count: 1n },
      { upperBound: 2, count: 0n },
      { upperBound: Infinity, count: 2n },
    ],
  });
});

Deno.test("a series that is allotted anew while it is read is left out", () => {
  const set = new FakeMetricSet("g/ds", ["comm"], {
    rows: [["a"], ["b"]],
    instruments: [{ type: "counter", name: "count", column: integers([1n, 2n]) }],
  });
  set.labelValues = (series) => {
    if (series === 0) set.generations[0] = 2;
    return set.rows[series] as string[];
  };
  assertEquals(snapshotMetrics([set])[0].series, [{ labels: { comm: "b" }, value: 2n }]);
});
