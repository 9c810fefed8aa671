/** Panels of one data source's metrics. */

import type { MetricSource, ShownMetric } from "./gadget_metrics.ts";
import { barGauge, heatmap, type PanelDraft, stat, timeseries } from "./grafana.ts";
import {
  divide,
  isGroupable,
  labelIs,
  type Matchers,
  maxBy,
  rate,
  selector,
  sumBy,
  topSeries,
  VARIABLE_MATCHERS,
} from "./promql.ts";
import { rateUnitOf, unitOf } from "./units.ts";

const QUANTILES = [0.5, 0.9, 0.99];

/** The kind of panel follows from the metric's type, and from whether it has labels. */
export function metricPanels(exported: MetricSource): PanelDraft[] {
  const source = { ...exported, labels: exported.labels.filter(isGroupable).map(storedLabel) };
  return source.metrics.flatMap((metric) => {
    switch (metric.type) {
      case "counter":
        return counterPanels(source, metric);
      case "gauge":
        return gaugePanels(source, metric);
      case "histogram":
        return histogramPanels(source, metric);
    }
  });
}

/** Prometheus keeps the names of the target's labels for itself. */
function storedLabel(label: string): string {
  return ["job", "instance"].includes(label) ? `exported_${label}` : label;
}

function counterPanels(source: MetricSource, metric: ShownMetric): PanelDraft[] {
  const { labels } = source;
  const { id: unit, divisor } = rateUnitOf(metric.unit);
  const title = `${wordsOf(metric)} per second`;
  const { description } = metric;
  if (labels.length === 0) {
    const expr = divide(sumBy([], rate(selector(metric.name, matchersOf(source)))), divisor);
    const queries = [{ expr, legend: wordsOf(metric) }];
    return [timeseries({ title, description, unit, queries, width: 24 })];
  }
  const series = selector(metric.name, keyedMatchersOf(source));
  const perSecond = topSeries(divide(sumBy(labels, rate(series)), divisor));
  const inRange = topSeries(sumBy(labels, `increase(${series}[$__range])`));
  return [
    timeseries({
      title,
      description,
      unit,
      queries: [{ expr: perSecond, legend: legendOf(labels) }],
      width: 16,
    }),
    barGauge({
      title: `${wordsOf(metric)} in the time shown`,
      description,
      unit: unitOf(metric.unit).id,
      queries: [{ expr: inRange, legend: legendOf(labels), isInstant: true }],
      width: 8,
    }),
  ];
}

/** Gauges of several instances are neither added nor mixed. */
function gaugePanels(source: MetricSource, metric: ShownMetric): PanelDraft[] {
  const { description } = metric;
  const title = wordsOf(metric);
  const { id: unit } = unitOf(metric.unit);
  if (source.labels.length === 0) {
    const expr = maxBy(["instance"], selector(metric.name, matchersOf(source)));
    const queries = [{ expr, legend: "{{instance}}" }];
    return [
      stat({ title, description, unit, queries, width: 8 }),
      timeseries({ title, description, unit, queries, width: 16 }),
    ];
  }
  const labels = ["instance", ...source.labels];
  const expr = topSeries(maxBy(labels, selector(metric.name, keyedMatchersOf(source))));
  const queries = [{ expr, legend: legendOf(labels) }];
  return [timeseries({ title, description, unit, queries, width: 24 })];
}

function histogramPanels(source: MetricSource, metric: ShownMetric): PanelDraft[] {
  const { labels } = source;
  const { description } = metric;
  const { id: unit } = unitOf(metric.unit);
  const words = wordsOf(metric);
  const matchers = matchersOf(source);
  const buckets = (series: string) => `increase(${series}[$__rate_interval])`;
  const panels = [
    heatmap({
      title: `${words}: heat map`,
      description,
      unit,
      queries: [{
        expr: eitherKind(
          sumBy(["le"], buckets(selector(`${metric.name}_bucket`, matchers))),
          sumBy([], buckets(selector(metric.name, matchers))),
        ),
        legend: "{{le}}",
        isHeatmap: true,
      }],
      width: 12,
    }),
    timeseries({
      title: `${words}: quantiles`,
      description,
      unit,
      queries: QUANTILES.map((quantile) => ({
        expr: quantileOf(quantile, { metric, matchers, labels: [] }),
        legend: `p${quantile * 100}`,
      })),
      width: 12,
    }),
  ];
  if (labels.length === 0) return panels;
  const keyed = { metric, matchers: keyedMatchersOf(source), labels };
  const expr = topSeries(quantileOf(0.99, keyed));
  return [
    ...panels,
    timeseries({
      title: `${words}: p99 by ${labels.join(", ")}`,
      description,
      unit,
      queries: [{ expr, legend: legendOf(labels) }],
      width: 24,
    }),
  ];
}

function quantileOf(
  quantile: number,
  { metric, matchers, labels }: {
    metric: ShownMetric;
    matchers: Matchers;
    labels: readonly string[];
  },
): string {
  const of = (sum: string) => `histogram_quantile(${quantile}, ${sum})`;
  return eitherKind(
    of(sumBy(["le", ...labels], rate(selector(`${metric.name}_bucket`, matchers)))),
    of(sumBy(labels, rate(selector(metric.name, matchers)))),
  );
}

/** It is up to Prometheus whether it keeps a histogram as buckets or as a native one. */
function eitherKind(classic: string, native: string): string {
  return `${classic} or ${native}`;
}

function matchersOf({ scope }: MetricSource): Matchers {
  return [...VARIABLE_MATCHERS, labelIs("otel_scope_name", scope)];
}

/** Without the series of what is over the limit: it has no keys to be called by. */
function keyedMatchersOf(source: MetricSource): Matchers {
  return [...matchersOf(source), 'otel_metric_overflow=""'];
}

function legendOf(labels: readonly string[]): string {
  return labels.map((label) => `{{${label}}}`).join(" ");
}

function wordsOf({ title }: ShownMetric): string {
  return title.replace(/[_.\-/]+/g, " ").trim();
}
