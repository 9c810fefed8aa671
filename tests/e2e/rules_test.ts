/** Alert rules: promtool says whether they are right, and fires them. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { type AlertRule, alertRules } from "../../src/dashboard/mod.ts";
import { testWith } from "./cases.ts";
import { runTool, startKmeter } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";

const TARGET = { job: "ebpf", instance: "a:2224" };
const SOURCE = { ...TARGET, gadget: "g", datasource: "d" };
const PROGRAM = { ...TARGET, gadget: "g", program: "p", section: "kprobe/x", reason: "no kprobes" };

const OPERATOR = { ...TARGET, operator: "o" };

type Labels = Readonly<Record<string, string>>;

/** Series of Prometheus' test notation, `labels` → values a minute apart. */
type Series = readonly (readonly [name: string, labels: Labels, values: string])[];

/** What makes an alert fire, in `firesAtMinute` and not in the minute before. */
interface FiringCase {
  readonly alert: string;
  readonly series: Series;
  readonly firesAtMinute: number;
  readonly labels: Labels;
  /** `$value` in the words of the description. */
  readonly value?: string;
}

const FIRING: readonly FiringCase[] = [
  {
    alert: "KmeterDown",
    series: [["up", TARGET, "1 0x20"]],
    firesAtMinute: 6,
    labels: TARGET,
  },
  {
    alert: "KmeterAbsent",
    series: [["up", { ...TARGET, job: "node" }, "1x20"]],
    firesAtMinute: 5,
    labels: { job: "ebpf" },
  },
  {
    alert: "KmeterScrapeErrors",
    series: [["kmeter_scrape_errors_total", { ...TARGET, stage: "timeout" }, "0 0 0 1x20"]],
    firesAtMinute: 3,
    labels: { ...TARGET, stage: "timeout" },
  },
  {
    alert: "KmeterEventsLost",
    series: [["kmeter_events_lost_total", { ...SOURCE, reason: "buffer_full" }, "7x9 1007x20"]],
    firesAtMinute: 10,
    labels: SOURCE,
    value: "1k",
  },
  {
    alert: "KmeterConsumerDown",
    series: [["kmeter_consumer_up", { ...TARGET, gadget: "g" }, "1 0x20"]],
    firesAtMinute: 3,
    labels: { ...TARGET, gadget: "g" },
  },
  {
    alert: "KmeterDecodeErrors",
    series: [["kmeter_decode_errors_total", { ...SOURCE, reason: "short_record" }, "0x9 9x20"]],
    firesAtMinute: 10,
    labels: { ...SOURCE, reason: "short_record" },
    value: "9",
  },
  {
    alert: "KmeterSeriesNearLimit",
    series: [
      ["kmeter_series", SOURCE, "900 901x20"],
      ["kmeter_series_limit", SOURCE, "1000x21"],
    ],
    firesAtMinute: 11,
    labels: SOURCE,
    value: "90.1%",
  },
  {
    alert: "KmeterSeriesOverflow",
    series: [["kmeter_series_overflow_total", SOURCE, "0x9 9x20"]],
    firesAtMinute: 10,
    labels: SOURCE,
    value: "9",
  },
  {
    alert: "KmeterMapNearlyFull",
    series: [
      ["kmeter_map_entries", SOURCE, "90 91x20"],
      ["kmeter_map_max_entries", SOURCE, "100x21"],
      ["kmeter_map_full_reads_total", SOURCE, "0x21"],
    ],
    firesAtMinute: 11,
    labels: SOURCE,
    value: "91%",
  },
  {
    alert: "KmeterMapFull",
    series: [["kmeter_map_full_reads_total", SOURCE, "3x9 4x20"]],
    firesAtMinute: 10,
    labels: SOURCE,
  },
  {
    alert: "KmeterMapReadErrors",
    series: [["kmeter_map_fetch_errors_total", SOURCE, "0x9 9x20"]],
    firesAtMinute: 10,
    labels: SOURCE,
    value: "9",
  },
  {
    alert: "KmeterGadgetDown",
    series: [["kmeter_gadget_up", { ...TARGET, gadget: "g" }, "1 0x20"]],
    firesAtMinute: 2,
    labels: { ...TARGET, gadget: "g" },
  },
  {
    alert: "KmeterOperatorDown",
    series: [["kmeter_operator_up", OPERATOR, "1 0x20"]],
    firesAtMinute: 1,
    labels: OPERATOR,
  },
  {
    alert: "KmeterOperatorLosesRows",
    series: [["kmeter_operator_lost_rows_total", OPERATOR, "7x9 1007x20"]],
    firesAtMinute: 10,
    labels: OPERATOR,
    value: "1k",
  },
  {
    alert: "KmeterProgramNotAttached",
    series: [["kmeter_program_attached", PROGRAM, "1 0x20"]],
    firesAtMinute: 2,
    labels: PROGRAM,
  },
];

/** A kmeter without trouble. Its array is full, as arrays are. */
const HEALTHY: Series = [
  ["kmeter_gadget_up", { ...TARGET, gadget: "g" }, "1x40"],
  ["up", TARGET, "1x40"],
  ["kmeter_scrape_errors_total", { ...TARGET, stage: "timeout" }, "5x40"],
  ["kmeter_events_lost_total", { ...SOURCE, reason: "buffer_full" }, "7x40"],
  ["kmeter_consumer_up", { ...TARGET, gadget: "g" }, "1x40"],
  ["kmeter_decode_errors_total", { ...SOURCE, reason: "short_record" }, "2x40"],
  ["kmeter_series", SOURCE, "900x40"],
  ["kmeter_series_limit", SOURCE, "1000x40"],
  ["kmeter_series_overflow_total", SOURCE, "9x40"],
  ["kmeter_map_entries", SOURCE, "90x40"],
  ["kmeter_map_max_entries", SOURCE, "100x40"],
  ["kmeter_map_full_reads_total", SOURCE, "3x40"],
  ["kmeter_map_fetch_errors_total", SOURCE, "3x40"],
  ["kmeter_map_entries", { ...SOURCE, datasource: "array" }, "100x40"],
  ["kmeter_map_max_entries", { ...SOURCE, datasource: "array" }, "100x40"],
  ["kmeter_operator_up", OPERATOR, "1x40"],
  ["kmeter_operator_lost_rows_total", OPERATOR, "3x40"],
  ["kmeter_program_attached", { ...PROGRAM, reason: "" }, "1x40"],
];

testWith(
  "promtool takes the rules; each fires when it should, and none when all is well",
  ["/usr/bin/promtool"],
  async () => {
    await using kmeter = startKmeter(["rules", "--job", TARGET.job]);
    const { code, stdout, stderr } = await kmeter.finish({ timeoutMs: 10_000 });
    assertEquals([code, stderr], [0, ""]);
    const rules = alertRules(TARGET.job).groups.flatMap((group) => group.rules);
    assertEquals(FIRING.map(({ alert }) => alert), rules.map(({ alert }) => alert));
    const healthy = {
      interval: "1m",
      input_series: HEALTHY.map(inputSeries),
      alert_rule_test: rules.map(({ alert }) => ({ eval_time: "30m", alertname: alert })),
    };
    using sandbox = new Sandbox();
    sandbox.write("rules.yml", stdout);
    const test = sandbox.write(
      "test.yml",
      JSON.stringify({
        rule_files: ["rules.yml"],
        tests: [healthy, ...FIRING.map((entry, index) => firingTest(entry, rules[index]))],
      }),
    );
    await runTool(["/usr/bin/promtool", "check", "rules", sandbox.path("rules.yml")]);
    await runTool(["/usr/bin/promtool", "test", "rules", test]);
  },
);

function inputSeries([name, labels, values]: Series[number]) {
  const matchers = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return { series: `${name}{${matchers.join(",")}}`, values };
}

function firingTest({ alert, series, firesAtMinute, labels, value }: FiringCase, rule: AlertRule) {
  const expand = (text: string) =>
    text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label) => labels[label])
      .replace(/\{\{ \$value \| \w+ \}\}/g, () => value ?? "no value");
  const { summary, description } = rule.annotations;
  const exp_alerts = [{
    exp_labels: { ...labels, ...rule.labels },
    exp_annotations: { summary: expand(summary), description: expand(description) },
  }];
  return {
    interval: "1m",
    input_series: series.map(inputSeries),
    alert_rule_test: [
      { eval_time: `${firesAtMinute - 1}m`, alertname: alert },
      { eval_time: `${firesAtMinute}m`, alertname: alert, exp_alerts },
    ],
  };
}
