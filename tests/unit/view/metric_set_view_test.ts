// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { MetricSet } from "../../../src/metrics/family.ts";
import { renderMetricSet } from "../../../src/view/mod.ts";
import { assertGolden } from "./_golden.ts";
import { ALL, histogramColumn, instrument, metricSet } from "./_sample_metrics.ts";

Deno.test("all instruments of a data source, the busiest series first", () => {
  assertGolden("metric_set.txt", renderMetricSet(ALL, { maxSeries: 10 }));
});

Deno.test("series over the limit are counted, not shown", () => {
  assertGolden("metric_set_limited.txt", renderMetricSet(ALL, { maxSeries: 1 }));
});

Deno.test("a histogram without values says so", () => {
  const column = histogramColumn(Array(5).fill([0n, 0n, 0n, 0n, 0]));
  const set = metricSet([instrument("latency", "histogram", { unit: "us", column })]);
  assertEquals(renderMetricSet(set, { maxSeries: 3 }), "latency: no values yet\n");
});

Deno.test("a series that goes to another key while it is read is not shown", () => {
  for (const one of ALL.instruments) {
    const set = metricSet([one]);
    let reads = 0;
    const changing: MetricSet = { ...set, generation: (series) => series === 0 ? 2 * reads++ : 0 };
    assert(renderMetricSet(set, { maxSeries: 10 }).includes("op0"), one.name);
    const text = renderMetricSet(changing, { maxSeries: 10 });
    assert(!text.includes("op0") && text.includes("op2"), text);
    const between: MetricSet = { ...set, generation: (series) => series === 0 ? 1 : 0 };
    assert(!renderMetricSet(between, { maxSeries: 10 }).includes("op0"), one.name);
  }
});
