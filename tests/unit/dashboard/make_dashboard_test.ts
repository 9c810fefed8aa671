// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import type { Dashboard as GrafanaDashboard } from "npm:@grafana/schema@13.2.3";
import type { Options as BarGaugeOptions } from "npm:@grafana/schema@13.2.3/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type { Options as HeatmapOptions } from "npm:@grafana/schema@13.2.3/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type { Options as StatOptions } from "npm:@grafana/schema@13.2.3/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as TimeseriesOptions } from "npm:@grafana/schema@13.2.3/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";
import { alertRules, type Dashboard, makeDashboard } from "../../../src/dashboard/mod.ts";
import { isGroupable, labelIs, selector } from "../../../src/dashboard/promql.ts";
import {
  BAR_GAUGE_OPTIONS,
  HEATMAP_OPTIONS,
  STAT_OPTIONS,
  TIMESERIES_OPTIONS,
} from "../../../src/dashboard/panel_options.ts";
import { OWN_METRIC_NAMES } from "../../../src/export/own_metric_names.ts";
import { rateUnitOf, unitOf } from "../../../src/dashboard/units.ts";
import { SAMPLE_GADGET } from "./sample_gadget.ts";

type Writable<T> = { -readonly [K in keyof T]: Writable<T[K]> };

/** The type checker says here whether Grafana's own types have each field, and have it so. */
function asGrafanaHasIt(dashboard: Dashboard): GrafanaDashboard {
  return dashboard as Writable<Dashboard>;
}

/** The same without enums, which JSON does not have. */
type Plain<T> = T extends string ? `${T}`
  : T extends readonly (infer E)[] ? readonly Plain<E>[]
  : T extends object ? { readonly [K in keyof T]: Plain<T[K]> }
  : T;
const OPTIONS: readonly [
  timeseries: Plain<TimeseriesOptions>,
  stat: Plain<StatOptions>,
  bargauge: Plain<BarGaugeOptions>,
  heatmap: Plain<HeatmapOptions>,
] = [TIMESERIES_OPTIONS, STAT_OPTIONS, BAR_GAUGE_OPTIONS, HEATMAP_OPTIONS];

function panelsOf(source: string) {
  const { panels } = makeDashboard(SAMPLE_GADGET);
  const start = panels.findIndex(({ type, title }) => type === "row" && title === source);
  const rest = panels.slice(start + 1);
  return rest.slice(0, rest.findIndex(({ type }) => type === "row"));
}

const IN_WHOLE = '{job=~"$job",instance=~"$instance",otel_scope_name="disk/whole"}';
const IN_KEYED = IN_WHOLE.replace("whole", "keyed").replace("}", ',otel_metric_overflow=""}');

Deno.test("each type of metric has its kinds of panels, units and queries", () => {
  const shown = panelsOf("whole").map(({ type, title, description, fieldConfig, targets }) => [
    type,
    title,
    description,
    fieldConfig?.defaults.unit,
    ...targets.map(({ expr, legendFormat }) => `${legendFormat}: ${expr}`),
  ]);
  const buckets = `wait_nanoseconds_bucket${IN_WHOLE}[$__rate_interval]`;
  const native = `wait_nanoseconds${IN_WHOLE}[$__rate_interval]`;
  const quantile = (q: number) =>
    `histogram_quantile(${q}, sum by (le) (rate(${buckets}))) or ` +
    `histogram_quantile(${q}, sum(rate(${native})))`;
  assertEquals(shown, [
    [
      "timeseries",
      "io per second",
      "Bytes moved",
      "binBps",
      `io: sum(rate(io_bytes_total${IN_WHOLE}[$__rate_interval]))`,
    ],
    ["stat", "depth", undefined, "short", `{{instance}}: max by (instance) (depth${IN_WHOLE})`],
    [
      "timeseries",
      "depth",
      undefined,
      "short",
      `{{instance}}: max by (instance) (depth${IN_WHOLE})`,
    ],
    [
      "heatmap",
      "disk wait: heat map",
      "Time waited",
      "ns",
      `{{le}}: sum by (le) (increase(${buckets})) or sum(increase(${native}))`,
    ],
    [
      "timeseries",
      "disk wait: quantiles",
      "Time waited",
      "ns",
      `p50: ${quantile(0.5)}`,
      `p90: ${quantile(0.9)}`,
      `p99: ${quantile(0.99)}`,
    ],
  ]);
});

Deno.test("labels make the busiest series, called by their keys; the target's own labels keep their names", () => {
  const shown = panelsOf("keyed").map(({ type, targets }) => [
    type,
    ...targets.map(({ expr, legendFormat }) => `${legendFormat}: ${expr}`),
  ]);
  const legend = "{{disk}} {{exported_job}}";
  const by = "disk, exported_job";
  assertEquals(shown.filter(([, query]) => query.includes("topk")), [
    [
      "timeseries",
      `${legend}: topk($top, sum by (${by}) (rate(io_bytes_total${IN_KEYED}[$__rate_interval])))`,
    ],
    [
      "bargauge",
      `${legend}: topk($top, sum by (${by}) (increase(io_bytes_total${IN_KEYED}[$__range])))`,
    ],
    [
      "timeseries",
      `{{instance}} ${legend}: topk($top, max by (instance, ${by}) (depth${IN_KEYED}))`,
    ],
    [
      "timeseries",
      `${legend}: topk($top, histogram_quantile(0.99, sum by (le, ${by}) ` +
      `(rate(wait_nanoseconds_bucket${IN_KEYED}[$__rate_interval]))) or ` +
      `histogram_quantile(0.99, sum by (${by}) ` +
      `(rate(wait_nanoseconds${IN_KEYED}[$__rate_interval]))))`,
    ],
  ]);
});

Deno.test("a dashboard can be imported: Grafana's fields, one data source variable, panels apart", () => {
  const dashboard = makeDashboard(SAMPLE_GADGET);
  const { schemaVersion, uid, title } = asGrafanaHasIt(dashboard);
  assertEquals([schemaVersion, uid, title], [39, "kmeter-disk", "kmeter: disk"]);
  assertEquals(dashboard.templating.list.map(({ type, name }) => `${type} ${name}`), [
    "datasource DS_PROMETHEUS",
    "query job",
    "query instance",
    "custom top",
  ]);
  const taken = new Set<string>();
  for (const { gridPos: { x, y, w, h }, type, datasource } of dashboard.panels) {
    assert(x + w <= 24);
    assertEquals(datasource?.uid, type === "row" ? undefined : "${DS_PROMETHEUS}");
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) taken.add(`${column} ${line}`);
    }
  }
  const cells = dashboard.panels.reduce((sum, { gridPos: { w, h } }) => sum + w * h, 0);
  assertEquals(taken.size, cells, "panels lie on each other");
  const optionsOf = (wanted: string) =>
    dashboard.panels.find(({ type }) => type === wanted)?.options;
  const [timeseries, stat, bargauge, heatmap] = OPTIONS;
  assertEquals(["timeseries", "stat", "bargauge", "heatmap"].map(optionsOf), [
    timeseries,
    stat,
    bargauge,
    { ...heatmap, yAxis: { ...heatmap.yAxis, unit: "ns" } },
  ]);
  const ids = dashboard.panels.map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("a uid has the characters and the length that Grafana takes", () => {
  const { uid } = makeDashboard({
    ...SAMPLE_GADGET,
    name: `my gadget/${"é".repeat(3)}${"x".repeat(50)}`,
  });
  assertEquals(uid, `kmeter-my-gadget-${"x".repeat(23)}`);
});

Deno.test("any text can be the value of a label, and Grafana puts no variable into it", () => {
  assertEquals(labelIs("a", 'q"\\\n$job'), 'a="q\\"\\\\\\n\\u0024job"');
});

Deno.test("a metric whose name PromQL reads as a number or word is found all the same", () => {
  assertEquals(selector("inf", ['a="b"']), '{__name__="inf",a="b"}');
  assertEquals(isGroupable("without"), false);
  assertEquals(selector("sum", ['a="b"']), 'sum{a="b"}');
});

Deno.test("dashboards and rules ask only for metrics that kmeter has", () => {
  const text = JSON.stringify([makeDashboard(SAMPLE_GADGET), alertRules("kmeter")]);
  const asked = new Set(text.match(/\b(?:kmeter|process)_\w+/g));
  assertEquals([...asked].filter((name) => !OWN_METRIC_NAMES.has(name)), []);
  assert(asked.size >= 14);
});

Deno.test("units are those that Grafana knows", () => {
  const rows: [ucum: string, value: string, perSecond: string, divisor: number][] = [
    ["", "short", "cps", 1],
    ["{packet}", "short", "cps", 1],
    ["By", "bytes", "binBps", 1],
    ["kBy", "deckbytes", "KBs", 1],
    ["By{resident}", "bytes", "binBps", 1],
    ["By/{read}", "bytes", "binBps", 1],
    ["{packet}/s", "suffix: /s", "suffix: /s/s", 1],
    ["ns", "ns", "s", 1e9],
    ["us", "µs", "s", 1e6],
    ["1", "percentunit", "suffix: 1/s", 1],
    ["calls", "suffix: calls", "suffix: calls/s", 1],
  ];
  for (const [ucum, value, perSecond, divisor] of rows) {
    assertEquals([ucum, unitOf(ucum), rateUnitOf(ucum)], [
      ucum,
      { id: value, divisor: 1 },
      { id: perSecond, divisor },
    ]);
  }
});
