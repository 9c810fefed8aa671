// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Counter, Histogram } from "prom-client";
import { Exposition, OwnMetrics, type OwnMetricsSnapshot } from "../../../src/export/mod.ts";
import { OWN_METRIC_NAMES } from "../../../src/export/own_metric_names.ts";
import { FakeMetricSet, floats, histograms, integers, pageText } from "./fake_metric_set.ts";

const BUILD = { version: "0.1.0", deno: "2.9.6", libbpf: "1.1.2" };

const SNAPSHOT: OwnMetricsSnapshot = {
  gadgets: [{ gadget: "trace_exec", isUp: true }, { gadget: "broken", isUp: false }],
  dataSources: [
    {
      gadget: "trace_exec",
      dataSource: "exec",
      eventsReceived: 10,
      eventsLost: { buffer_full: 2 },
      decodeErrors: {},
      series: 3,
      seriesLimit: 20_000,
      seriesOverflow: 0,
      labelsTruncated: 0,
    },
    {
      gadget: "top_syscalls",
      dataSource: "syscalls",
      eventsReceived: 0,
      eventsLost: {},
      decodeErrors: { negative_counter: 1 },
      series: 4,
      seriesLimit: 20_005,
      seriesOverflow: 5,
      labelsTruncated: 12,
      map: { entries: 6, maxEntries: 7, fetchDurationSeconds: 0.25, fetchErrors: 8, fullReads: 11 },
    },
  ],
  seriesPlaces: { taken: 7, limit: 1_000_000 },
  programs: [
    {
      gadget: "trace_exec",
      program: "on_exec",
      section: "tp_btf/sched_process_exec",
      isAttached: true,
      reason: "",
      runTimeSeconds: 1.5,
      runCount: 9,
    },
    {
      gadget: "trace_exec",
      program: "on_kprobe",
      section: "kprobe/x",
      isAttached: false,
      reason: "kernel has no kprobes",
    },
  ],
  consumers: [{ gadget: "trace_exec", isUp: true }, { gadget: "trace_open", isUp: false }],
  operators: [{ operator: "exec", isUp: false, rows: 13, lostRows: 14 }],
};

async function load(options: Partial<Parameters<typeof OwnMetrics.load>[0]> = {}) {
  return await OwnMetrics.load({ buildInfo: BUILD, processStats: () => ({}), ...options });
}

async function textOf(own: OwnMetrics, format: "text" | "openmetrics" = "text"): Promise<string> {
  return new TextDecoder().decode(await own.render(format));
}

function samples(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

Deno.test("the snapshot of the engine is what kmeter's own metrics say", async () => {
  const own = await load({
    processStats: () => ({ cpuSeconds: 1.25, openFds: 12, startTimeSeconds: 1.7e9 }),
  });
  own.observe(() => SNAPSHOT);
  own.recordScrape(0.5);
  own.countScrapeError("refresh");
  const exec = 'gadget="trace_exec",datasource="exec"';
  const calls = 'gadget="top_syscalls",datasource="syscalls"';
  assertEquals(samples(await textOf(own)), [
    'kmeter_build_info{version="0.1.0",deno="2.9.6",libbpf="1.1.2"} 1',
    'kmeter_gadget_up{gadget="trace_exec"} 1',
    'kmeter_gadget_up{gadget="broken"} 0',
    `kmeter_events_received_total{${exec}} 10`,
    `kmeter_events_received_total{${calls}} 0`,
    `kmeter_events_lost_total{${exec},reason="buffer_full"} 2`,
    'kmeter_consumer_up{gadget="trace_exec"} 1',
    'kmeter_consumer_up{gadget="trace_open"} 0',
    `kmeter_decode_errors_total{${calls},reason="negative_counter"} 1`,
    `kmeter_series{${exec}} 3`,
    `kmeter_series{${calls}} 4`,
    `kmeter_series_limit{${exec}} 20000`,
    `kmeter_series_limit{${calls}} 20005`,
    `kmeter_series_overflow_total{${exec}} 0`,
    `kmeter_series_overflow_total{${calls}} 5`,
    `kmeter_labels_truncated_total{${exec}} 0`,
    `kmeter_labels_truncated_total{${calls}} 12`,
    "kmeter_process_series 7",
    "kmeter_process_series_limit 1000000",
    `kmeter_map_entries{${calls}} 6`,
    `kmeter_map_max_entries{${calls}} 7`,
    `kmeter_map_full_reads_total{${calls}} 11`,
    `kmeter_map_fetch_duration_seconds{${calls}} 0.25`,
    `kmeter_map_fetch_errors_total{${calls}} 8`,
    'kmeter_program_attached{gadget="trace_exec",program="on_exec",' +
    'section="tp_btf/sched_process_exec",reason=""} 1',
    'kmeter_program_attached{gadget="trace_exec",program="on_kprobe",' +
    'section="kprobe/x",reason="kernel has no kprobes"} 0',
    'kmeter_program_run_time_seconds_total{gadget="trace_exec",program="on_exec"} 1.5',
    'kmeter_program_run_count_total{gadget="trace_exec",program="on_exec"} 9',
    'kmeter_operator_up{operator="exec"} 0',
    'kmeter_operator_rows_total{operator="exec"} 13',
    'kmeter_operator_lost_rows_total{operator="exec"} 14',
    "kmeter_scrape_duration_seconds 0.5",
    'kmeter_scrape_errors_total{stage="refused"} 0',
    'kmeter_scrape_errors_total{stage="refresh"} 1',
    'kmeter_scrape_errors_total{stage="render"} 0',
    'kmeter_scrape_errors_total{stage="timeout"} 0',
    'kmeter_http_connections_cut_total{reason="crowded"} 0',
    'kmeter_http_connections_cut_total{reason="timeout"} 0',
    "process_cpu_seconds_total 1.25",
    "process_open_fds 12",
    "process_start_time_seconds 1700000000",
  ]);
});

Deno.test("counters do not add up over scrapes, and what is gone leaves", async () => {
  const own = await load();
  own.observe(() => SNAPSHOT);
  await own.render("text");
  own.observe(() => ({
    gadgets: [],
    dataSources: [SNAPSHOT.dataSources[0]],
    programs: [],
    consumers: [],
  }));
  await own.render("openmetrics");
  const text = await textOf(own);
  assert(text.includes('kmeter_events_received_total{gadget="trace_exec",datasource="exec"} 10\n'));
  assert(!text.includes("top_syscalls") && !text.includes("kmeter_program_attached"));
});

Deno.test("an OpenMetrics page does not change the text page after it", async () => {
  const own = await load();
  own.observe(() => SNAPSHOT);
  const before = await textOf(own);
  const open = await textOf(own, "openmetrics");
  assertEquals(await textOf(own), before);
  assert(open.includes("# TYPE kmeter_events_lost counter\nkmeter_events_lost_total{"));
  assert(before.includes("# TYPE kmeter_events_lost_total counter\nkmeter_events_lost_total{"));
});

Deno.test("the text is the one that prom-client's Registry prints", async () => {
  const own = await load({ processStats: () => ({ cpuSeconds: 0.1, maxFds: Infinity }) });
  own.observe(() => SNAPSHOT);
  const registers = [own.registry];
  new Counter({ name: "odd", help: "Back\\slash,\nline.", registers }).inc(3);
  new Histogram({ name: "h", help: "H.", buckets: [0.5, 1], registers }).observe(0.7);
  const printed = (await own.registry.metrics()).split("\n\n").map((family) => family.trimEnd());
  const withValues = printed.filter((family) => family.split("\n").length > 2);
  assertEquals(await textOf(own), withValues.join("\n") + "\n");
  const open = await textOf(own, "openmetrics");
  assert(open.includes("# TYPE odd unknown\nodd 3\n") && open.includes('h_bucket{le="1.0"} 1\n'));
});

Deno.test("sources that fail are counted and reported, and the page is still made", async () => {
  const errors: unknown[] = [];
  const own = await load({ onError: (error) => errors.push(error) });
  own.observe(() => {
    throw new Error("engine is gone");
  });
  assert((await textOf(own)).includes('kmeter_scrape_errors_total{stage="refresh"} 1\n'));
  assertEquals(errors.map((error) => (error as Error).message), ["engine is gone"]);
});

Deno.test("process stats that cannot be read are left out; all else is new", async () => {
  const errors: unknown[] = [];
  const own = await load({
    processStats: () => {
      throw new Error("no descriptors left");
    },
    onError: (error) => errors.push(error),
  });
  own.observe(() => SNAPSHOT);
  const text = await textOf(own);
  assertMatch(text, /^kmeter_events_lost_total\{.*\} 2$/m);
  assertMatch(text, /^kmeter_scrape_errors_total\{stage="refresh"\} 1$/m);
  assertEquals(text.match(/^process_.*/m), null);
  assertEquals(errors.map((error) => (error as Error).message), ["no descriptors left"]);
});

Deno.test("gadgets cannot take any name of kmeter's own metrics", async () => {
  const own = await load();
  const names = own.registry.getMetricsAsArray().map(({ name }) => name);
  assertEquals(names.toSorted(), [...OWN_METRIC_NAMES].toSorted());
});

Deno.test("gadget families are in the registry, with honest values and the page's text", async () => {
  const own = await load();
  const page = new Exposition({ registry: own.families });
  const set = new FakeMetricSet("g/d", ["comm"], {
    rows: [["a"], ['b"'], ["gone"]],
    instruments: [
      { type: "counter", name: "c", column: integers([5n, 2n ** 40n, 1n]) },
      { type: "gauge", name: "i", column: integers([-5n, -(2n ** 40n), 1n], { signed: true }) },
      { type: "gauge", name: "f", column: floats([NaN, -Infinity, 1]) },
      {
        type: "histogram",
        name: "h",
        column: histograms([1], [
          { counts: [1n, 2n], sum: 9 },
          { counts: [2n ** 33n, 1n], sum: 0.5 },
          { counts: [0n, 0n], sum: 0 },
        ]),
      },
    ],
  });
  set.dead.add(2);
  page.add(set);
  const printed = await own.registry.metrics();
  for (const family of pageText(page.render("text")).split(/(?=# HELP)/)) {
    assert(printed.includes(family.trimEnd()), `${family}\nnot in\n${printed}`);
  }
  assert(!(await textOf(own)).includes("c_total"), "gadget families are on the page once only");

  const json = await own.registry.getMetricsAsJSON();
  const values = (name: string) =>
    json.find((metric) => metric.name === name)?.values.map(({ value }) => value);
  assertEquals(values("c_total"), [5, 2 ** 40]);
  assertEquals(values("i"), [-5, -(2 ** 40)]);
  assertEquals(values("f"), [NaN, -Infinity]);
  assertEquals(values("h"), [1, 3, 9, 3, 2 ** 33, 2 ** 33 + 1, 0.5, 2 ** 33 + 1]);
  own.registry.resetMetrics();

  page.remove(set);
  assertEquals(own.registry.getSingleMetric("c_total"), undefined);
});
