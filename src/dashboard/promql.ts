/** Pieces of PromQL. Names of metrics and labels are legal already, values may be any text. */

/** Words that PromQL does not take for the name of a metric. */
const NOT_METRICS = new Set(
  ["inf", "nan", "bool", "on", "ignoring", "group_left", "group_right", "atan2"],
);
/** Words that it does not take for the name of a label. */
const NOT_LABELS = new Set(["inf", "nan", "without"]);

/** Label matchers, each ready: `job=~"$job"`. */
export type Matchers = readonly string[];

/** Matchers of the dashboard's own variables. */
export const VARIABLE_MATCHERS: Matchers = ['job=~"$job"', 'instance=~"$instance"'];

/** `label="value"`, whatever the value is. Grafana puts nothing in the place of a `$` of the value. */
export function labelIs(label: string, value: string): string {
  return `${label}=${JSON.stringify(value.toWellFormed()).replaceAll("$", "\\u0024")}`;
}

/** `name{a="b"}`. */
export function selector(name: string, matchers: Matchers): string {
  if (!NOT_METRICS.has(name.toLowerCase())) return `${name}{${matchers.join(",")}}`;
  return `{${[labelIs("__name__", name), ...matchers].join(",")}}`;
}

/** Whether `by (label)` is possible: Prometheus 2 has no way to quote a label there. */
export function isGroupable(label: string): boolean {
  return !NOT_LABELS.has(label.toLowerCase());
}

/** `sum by (a, b) (inner)`; the whole sum where there are no labels. */
export function sumBy(labels: readonly string[], inner: string): string {
  return aggregate("sum", { labels, inner });
}

/** `max by (a, b) (inner)`. */
export function maxBy(labels: readonly string[], inner: string): string {
  return aggregate("max", { labels, inner });
}

function aggregate(
  operator: string,
  { labels, inner }: { labels: readonly string[]; inner: string },
): string {
  return labels.length === 0
    ? `${operator}(${inner})`
    : `${operator} by (${labels.join(", ")}) (${inner})`;
}

/** Growth per second, over what Grafana holds right for the scrape interval. */
export function rate(series: string): string {
  return `rate(${series}[$__rate_interval])`;
}

/** The highest of many series; how many is up to the dashboard's variable. */
export function topSeries(inner: string): string {
  return `topk($top, ${inner})`;
}

/** `inner / divisor`. */
export function divide(inner: string, divisor: number): string {
  return divisor === 1 ? inner : `${inner} / ${divisor}`;
}
