/**
 * Values of prom-client metrics as text of either format.
 *
 * prom-client's own OpenMetrics rendering takes `_total` off the metric object itself, so that the next
 * text page of the same Registry names it wrongly. Values are therefore taken by `get()` and
 * printed here, for both formats.
 */

import { openMetricsName } from "./_family.ts";
import { escapeLabelValue } from "./_label_arena.ts";
import { boundText, doubleText, type TextExposition } from "./_number_text.ts";
import type { RegistryValue, RegistryValues } from "./registry_family.ts";

/** Prints whole families; those without a value are left out. */
export function registryText(families: readonly RegistryValues[], format: TextExposition): string {
  return families.map((family) => familyText(family, format)).join("");
}

function familyText(family: RegistryValues, format: TextExposition): string {
  if (family.values.length === 0) return "";
  const isOpenMetrics = format === "openmetrics";
  const isOddCounter = family.type === "counter" && !family.name.endsWith("_total");
  const name = isOpenMetrics ? openMetricsName(family) : family.name;
  const type = isOpenMetrics && isOddCounter ? "unknown" : family.type;
  const help = family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  let text = `# HELP ${name} ${isOpenMetrics ? help.replaceAll('"', '\\"') : help}\n`;
  text += `# TYPE ${name} ${type}\n`;
  for (const value of family.values) {
    text += `${value.metricName ?? family.name}${labelsText(value, format)} ${
      doubleText(value.value)
    }\n`;
  }
  return text;
}

function labelsText({ labels }: RegistryValue, format: TextExposition): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const isBound = typeof value === "number" && (name === "le" || name === "quantile");
    const text = isBound ? boundText(value, format) : escapeLabelValue(String(value));
    return `${name}="${text}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
