// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { Column, Instrument, MetricSet } from "../../../src/metrics/family.ts";
import { displayWidth, renderMetricSet } from "../../../src/view/mod.ts";
import { assertGolden } from "./_golden.ts";

function instrument(
  name: string,
  type: Instrument["type"],
  given: { unit?: string; column: Column },
): Instrument {
  return { name, type, description: "", unit: given.unit ?? "", column: () => given.column };
}

/** Low word first, as the engine keeps 64-bit integers. */
function words(values: readonly bigint[]): Uint32Array {
  return new Uint32Array(BigInt64Array.from(values).buffer);
}

const HISTOGRAM: Column = {
  kind: "histogram",
  upperBounds: Float64Array.of(0, 1, 3),
  stride: 4,
  counts: words([0n, 1n, 2n, 0n, 9n, 9n, 9n, 9n, 0n, 40n, 10n, 1n, 0n, 0n, 5n, 0n, 0n, 0n, 0n, 0n]),
  sums: Float64Array.of(6, 0, 70, 12.5, 0),
};

/** Series 1 is dead, series 3 is the overflow, series 4 has not counted yet. */
function metricSet(instruments: readonly Instrument[]): MetricSet {
  return {
    scope: "test/set",
    labelNames: ["comm", "op"],
    instruments,
    seriesCount: 5,
    isLive: (series) => series !== 1,
    isOverflow: (series) => series === 3,
    labelValues: (series) => [["bash", "日本", "evil\x1b[2J", "", "idle"][series], `op${series}`],
    generation: () => 0,
  };
}

const ALL = metricSet([
  instrument("bytes", "counter", {
    unit: "By",
    column: { kind: "integer", signed: false, words: words([5n, 9n, -1n, 7n, 0n]) },
  }),
  instrument("latency", "histogram", { unit: "us", column: HISTOGRAM }),
  instrument("depth", "gauge", {
    column: { kind: "integer", signed: true, words: words([-5n, 9n, -1n, 7n, 0n]) },
  }),
  instrument("load", "gauge", {
    column: { kind: "float", values: Float64Array.of(0.5, 1, NaN, 2, 0) },
  }),
]);

Deno.test("all instruments of a data source, the busiest series first", () => {
  assertGolden("metric_set.txt", renderMetricSet(ALL, { maxSeries: 10 }));
});

Deno.test("series over the limit are counted, not shown", () => {
  assertGolden("metric_set_limited.txt", renderMetricSet(ALL, { maxSeries: 1 }));
});

Deno.test("tables are cut to the terminal", () => {
  const set = metricSet(ALL.instruments.filter(({ type }) => type !== "histogram"));
  const lines = renderMetricSet(set, { maxSeries: 10, widthColumns: 30 }).split("\n");
  for (const line of lines) assert(displayWidth(line) <= 30, line);
});

Deno.test("a histogram without values says so", () => {
  const column: Column = { ...HISTOGRAM, counts: new Uint32Array(40) };
  const set = metricSet([instrument("latency", "histogram", { unit: "us", column })]);
  assertEquals(renderMetricSet(set, { maxSeries: 3 }), "latency: no values yet\n");
});
