/** Names of metrics and labels of a data source: made legal, and told apart. */

import { UsageError } from "../errors.ts";
import type { DataSourceSpec } from "./spec.ts";

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

/** Translates one attribute name to a Prometheus label name. Never one that starts with `_`. */
export function translateLabelName(attribute: string): string {
  const name = attribute.replace(/[^a-zA-Z0-9_]/gu, "_").replace(/_+/g, "_");
  if (/^[0-9]/.test(name) || name === "") return `key_${name}`;
  return name.startsWith("_") ? `key${name}` : name;
}

/** Says of names that somebody chose, and that are not legal, what becomes of them. */
export function renamingWarnings({ name, fields, annotations }: DataSourceSpec): string[] {
  const warnings: string[] = [];
  const check = (wish: string | undefined, where: string, become: (wish: string) => string) => {
    const chosen = wish?.trim() ?? "";
    if (chosen === "" || instrumentName(chosen) === chosen) return;
    warnings.push(
      `${where} ${JSON.stringify(chosen)} is no legal name: it becomes "${become(chosen)}"`,
    );
  };
  for (const field of fields) {
    const type = field.annotations["metrics.type"];
    const isLabel = type === "key" || (type === undefined && field.tags.includes("role:key"));
    check(
      field.annotations["metrics.name"],
      `metrics.name of field "${name}.${field.name}":`,
      isLabel ? translateLabelName : instrumentName,
    );
  }
  const counter = "metrics.implicit-counter.name";
  check(annotations[counter], `${counter} of data source "${name}":`, instrumentName);
  return warnings;
}

/**
 * Refuses two metrics of one name. Names that Prometheus would write alike (`a.b`, `a_b`) count as one.
 *
 * Throws: UsageError that names both.
 */
export function checkMetricNames(dataSource: string, names: readonly ClaimedName[]): void {
  checkDistinct(dataSource, names, { makes: "metric", formOf: prometheusForm });
}

/**
 * Refuses two labels of one name, and labels that exporters add themselves.
 *
 * Throws: UsageError that names the field or fields.
 */
export function checkLabelNames(dataSource: string, names: readonly ClaimedName[]): void {
  for (const { name, claimedBy } of names) {
    const label = translateLabelName(name);
    if (RESERVED_LABELS.includes(label) || label.startsWith(RESERVED_LABEL_PREFIX)) {
      throw new UsageError(
        `Data source "${dataSource}": ${claimedBy} makes the label "${label}", which is reserved`,
        { hint: `give it another name: annotation "metrics.name"` },
      );
    }
  }
  checkDistinct(dataSource, names, { makes: "label", formOf: translateLabelName });
}

function checkDistinct(
  dataSource: string,
  names: readonly ClaimedName[],
  { makes, formOf }: { makes: string; formOf: (name: string) => string },
): void {
  const seen = new Map<string, ClaimedName>();
  for (const claim of names) {
    const form = formOf(claim.name);
    const other = seen.get(form);
    if (other !== undefined) {
      throw new UsageError(
        `Data source "${dataSource}": ${other.claimedBy} and ${claim.claimedBy} ` +
          `both make the ${makes} "${form}"`,
        { hint: `give one of them another name: annotation "metrics.name"` },
      );
    }
    seen.set(form, claim);
  }
}

/** What the translation to Prometheus keeps of a name, before suffixes. */
function prometheusForm(name: string): string {
  return name.split(/[^A-Za-z0-9:]+/).filter((part) => part !== "").join("_");
}
