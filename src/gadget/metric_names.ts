/** Names of metrics and labels of a data source: made legal, and told apart. */

import { UsageError } from "../errors.ts";

const NAME_LENGTH_MAX = 255;
/** Labels that exporters add themselves. */
const RESERVED_LABELS = ["le", "quantile", "otel_metric_overflow"];
const RESERVED_LABEL_PREFIX = "otel_scope_";

/** A metric or label name and who claims it, for example `field "proc.comm"`. */
export interface ClaimedName {
  readonly name: string;
  readonly claimedBy: string;
}

/**
 * OpenTelemetry instrument name for a wish: letters, digits and `_ . - /`, a letter first, at most
 * 255 of them.
 */
export function instrumentName(wish: string): string {
  const legal = wish.trim().replace(/[^A-Za-z0-9_.\-/]+/g, "_").replace(/^[^A-Za-z0-9]+/, "");
  const started = /^[A-Za-z]/.test(legal) ? legal : `metric_${legal}`.replace(/_$/, "");
  return started.slice(0, NAME_LENGTH_MAX);
}

/**
 * Refuses two metrics of one name. Names that Prometheus would write alike (`a.b`, `a_b`) count as one.
 *
 * Throws: UsageError that names both.
 */
export function checkMetricNames(dataSource: string, names: readonly ClaimedName[]): void {
  checkDistinct(names, (other, clash) =>
    new UsageError(
      `Data source "${dataSource}": ${other.claimedBy} and ${clash.claimedBy} ` +
        `both make the metric "${prometheusForm(clash.name)}"`,
      { hint: `give one of them another name: annotation "metrics.name"` },
    ));
}

/**
 * Refuses two labels of one name, and labels that exporters add themselves.
 *
 * Throws: UsageError that names the field or fields.
 */
export function checkLabelNames(dataSource: string, names: readonly ClaimedName[]): void {
  for (const { name, claimedBy } of names) {
    const label = prometheusForm(name);
    if (RESERVED_LABELS.includes(label) || label.startsWith(RESERVED_LABEL_PREFIX)) {
      throw new UsageError(
        `Data source "${dataSource}": ${claimedBy} makes the label "${label}", which is reserved`,
        { hint: `give it another name: annotation "metrics.name"` },
      );
    }
  }
  checkDistinct(names, (other, clash) =>
    new UsageError(
      `Data source "${dataSource}": ${other.claimedBy} and ${clash.claimedBy} ` +
        `both make the label "${prometheusForm(clash.name)}"`,
      { hint: `give one of them another name: annotation "metrics.name"` },
    ));
}

function checkDistinct(
  names: readonly ClaimedName[],
  clashError: (other: ClaimedName, clash: ClaimedName) => UsageError,
): void {
  const seen = new Map<string, ClaimedName>();
  for (const claim of names) {
    const form = prometheusForm(claim.name);
    const other = seen.get(form);
    if (other !== undefined) throw clashError(other, claim);
    seen.set(form, claim);
  }
}

/** What the translation to Prometheus keeps of a name, before suffixes. */
function prometheusForm(name: string): string {
  return name.split(/[^A-Za-z0-9:]+/).filter((part) => part !== "").join("_");
}
