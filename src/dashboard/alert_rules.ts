/** Prometheus alert rules for kmeter's own health. */

import { labelIs } from "./promql.ts";

/** One alerting rule, with the keys that Prometheus' rule files have. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: "warning" | "critical" };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** A rule file. */
export interface AlertGroups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

const SOURCE = "{{ $labels.gadget }}/{{ $labels.datasource }} on {{ $labels.instance }}";
/** Share of a limit from which on it is nearly reached. */
const NEARLY = 0.9;
const WINDOW = "10m";

/** Rules for kmeters that Prometheus scrapes under the name `job`. */
export function alertRules(job: string): AlertGroups {
  const rules = [...scrapeRules(job), ...countingRules(), ...mapRules(), ...programRules()];
  return { groups: [{ name: "kmeter", rules }] };
}

function scrapeRules(job: string): AlertRule[] {
  const up = `up{${labelIs("job", job)}}`;
  return [
    {
      alert: "KmeterDown",
      expr: `${up} == 0`,
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: "kmeter on {{ $labels.instance }} cannot be scraped",
        description: "No metrics of its gadgets arrive, and events that happen meanwhile are not " +
          "counted if it does not run. See whether it runs and what it said last: systemctl status " +
          "kmeter, journalctl -u kmeter. If it runs, see whether Prometheus reaches its address " +
          "and, with a web configuration, whether password and certificate are right.",
      },
    },
    {
      alert: "KmeterAbsent",
      expr: `absent(${up})`,
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: "Prometheus scrapes no kmeter",
        description:
          "No target has the job name of this rule. See whether prometheus.yml has the " +
          "scrape job, and whether service discovery finds the hosts. If the job has another name, " +
          "make the rules anew with kmeter rules --job NAME.",
      },
    },
    {
      alert: "KmeterScrapeErrors",
      expr: `sum by (job, instance, stage) (increase(kmeter_scrape_errors_total[${WINDOW}])) > 0`,
      labels: { severity: "warning" },
      annotations: {
        summary: "Pages of kmeter on {{ $labels.instance }} fail or lack something",
        description: "The stage is {{ $labels.stage }}. refused: too many scrapes at a time; let " +
          "fewer scrapers ask, less often. timeout: a scraper stopped reading; look at the network " +
          "and at Prometheus' scrape_timeout. refresh, render: a part is missing on the page; " +
          "kmeter's log says which, and why.",
      },
    },
  ];
}

function countingRules(): AlertRule[] {
  return [
    {
      alert: "KmeterEventsLost",
      expr: "sum by (job, instance, gadget, datasource) " +
        `(increase(kmeter_events_lost_total[${WINDOW}])) > 0`,
      labels: { severity: "warning" },
      annotations: {
        summary: `${SOURCE} loses events`,
        description:
          "{{ $value | humanize }} events in ten minutes found no room in their buffer: " +
          "counters are too low by so many. Give the gadget's buffer more room, or make fewer " +
          "events: filter in the kernel by the gadget's parameters. Where the CPU is busy, give " +
          "kmeter a higher share of it.",
      },
    },
    {
      alert: "KmeterConsumerDown",
      expr: "kmeter_consumer_up == 0",
      for: "2m",
      labels: { severity: "critical" },
      annotations: {
        summary: "{{ $labels.gadget }} on {{ $labels.instance }} does not keep up with its events",
        description: "Events wait to be counted for over a second: numbers are old, and events " +
          "will be lost. See whether the host has CPU time left for kmeter, and whether its " +
          "cgroup is throttled. If there are simply too many events, filter in the kernel by " +
          "the gadget's parameters.",
      },
    },
    {
      alert: "KmeterDecodeErrors",
      expr: "sum by (job, instance, gadget, datasource, reason) " +
        `(increase(kmeter_decode_errors_total[${WINDOW}])) > 0`,
      labels: { severity: "warning" },
      annotations: {
        summary: `${SOURCE} sends records that cannot be counted`,
        description: "{{ $value | humanize }} records in ten minutes were dropped: " +
          "{{ $labels.reason }}. short_record: the gadget sends less than its struct has. " +
          "negative_counter: a counter went down; annotate it as a gauge. not_a_number: a float is " +
          "none. It is the gadget that has to be mended.",
      },
    },
    {
      alert: "KmeterSeriesNearLimit",
      expr: `kmeter_series / kmeter_series_limit > ${NEARLY}`,
      for: "10m",
      labels: { severity: "warning" },
      annotations: {
        summary: `${SOURCE} has nearly all the series it may have`,
        description: "{{ $value | humanizePercentage }} are in use. What is over the limit is no " +
          "longer told apart by its labels. Take fewer fields as keys, let idle series leave with " +
          "metrics.ttl, or raise metrics.limit if Prometheus can bear it.",
      },
    },
    {
      alert: "KmeterSeriesOverflow",
      expr: "sum by (job, instance, gadget, datasource) " +
        `(increase(kmeter_series_overflow_total[${WINDOW}])) > 0`,
      labels: { severity: "warning" },
      annotations: {
        summary: `${SOURCE} is over its limit of series`,
        description: "{{ $value | humanize }} updates in ten minutes went to the series with " +
          'otel_metric_overflow="true": totals are right, but not told apart by their labels. ' +
          "Take fewer fields as keys, let idle series leave with metrics.ttl, or raise " +
          "metrics.limit if Prometheus can bear it.",
      },
    },
  ];
}

function mapRules(): AlertRule[] {
  const onMap = "on (job, instance, gadget, datasource)";
  return [
    {
      alert: "KmeterMapNearlyFull",
      // Only maps that refuse new keys have the series on the right: others may well be full.
      expr: `kmeter_map_entries / kmeter_map_max_entries > ${NEARLY} ` +
        `and ${onMap} kmeter_map_full_reads_total`,
      for: "10m",
      labels: { severity: "warning" },
      annotations: {
        summary: `The map of ${SOURCE} is nearly full`,
        description: "{{ $value | humanizePercentage }} of its entries are taken at each read. A " +
          "full map refuses new keys. Scrape more often, for each read makes room; or give the map " +
          "more max_entries; or use an LRU map.",
      },
    },
    {
      alert: "KmeterMapFull",
      expr: "sum by (job, instance, gadget, datasource) " +
        `(increase(kmeter_map_full_reads_total[${WINDOW}])) > 0`,
      labels: { severity: "critical" },
      annotations: {
        summary: `The map of ${SOURCE} was full`,
        description: "The kernel refused new keys: what they would have counted is missing. Give " +
          "the map more max_entries, scrape more often, or use an LRU map.",
      },
    },
    {
      alert: "KmeterMapReadErrors",
      expr: "sum by (job, instance, gadget, datasource) " +
        `(increase(kmeter_map_fetch_errors_total[${WINDOW}])) > 0`,
      labels: { severity: "warning" },
      annotations: {
        summary: `The map of ${SOURCE} cannot be read`,
        description: "{{ $value | humanize }} reads in ten minutes failed: what the map held is " +
          "not on the page, or old. kmeter's log says which call failed, and why.",
      },
    },
  ];
}

function programRules(): AlertRule[] {
  return [
    {
      alert: "KmeterGadgetDown",
      expr: "kmeter_gadget_up == 0",
      for: "1m",
      labels: { severity: "critical" },
      annotations: {
        summary: "{{ $labels.gadget }} does not run on {{ $labels.instance }}",
        description:
          "It could not start, or has failed: nothing of it is counted. kmeter's log, or " +
          "kmeter logs {{ $labels.gadget }}, says why and what to do.",
      },
    },
    {
      alert: "KmeterOperatorDown",
      expr: "kmeter_operator_up == 0",
      labels: { severity: "warning" },
      annotations: {
        summary: "The operator {{ $labels.operator }} on {{ $labels.instance }} has failed",
        description:
          "Everything else goes on without it until kmeter is started again. Its log says " +
          "why.",
      },
    },
    {
      alert: "KmeterOperatorLosesRows",
      expr: "sum by (job, instance, operator) " +
        `(increase(kmeter_operator_lost_rows_total[${WINDOW}])) > 0`,
      labels: { severity: "warning" },
      annotations: {
        summary: "The operator {{ $labels.operator }} on {{ $labels.instance }} is too slow",
        description:
          "{{ $value | humanize }} rows in ten minutes were left out: metrics have them all, the " +
          "operator has not. Make fewer events by the gadget's parameters, or a --filter.",
      },
    },
    {
      alert: "KmeterProgramNotAttached",
      expr: "kmeter_program_attached == 0",
      for: "1m",
      labels: { severity: "warning" },
      annotations: {
        summary: "{{ $labels.gadget }} on {{ $labels.instance }} runs without the program " +
          "{{ $labels.program }}",
        description:
          "{{ $labels.section }}: {{ $labels.reason }}. What the program would count is " +
          "missing. See what the kernel lacks: kmeter doctor. Where the others are worth nothing " +
          "without it, let kmeter end instead: --strict.",
      },
    },
  ];
}
