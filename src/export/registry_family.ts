/** A gadget's metric family as prom-client's Registry sees it. */

import { ByteWriter } from "./_byte_writer.ts";
import type { Family, FamilyMember } from "./_family.ts";
import { nextLive, writeSamples } from "./_sample_writer.ts";
import type { HistogramColumn, IntegerColumn } from "../metrics/mod.ts";

/** What kmeter uses of a prom-client Registry to keep gadget families in it. */
export interface FamilyRegistry {
  registerMetric(metric: RegistryFamily): void;
  removeSingleMetric(name: string): void;
}

/** One value as prom-client's `get()` lists them. */
export interface RegistryValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Sample name where it is not the family's. */
  readonly metricName?: string;
}

/** What prom-client's `get()` resolves to. */
export interface RegistryValues {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  readonly values: readonly RegistryValue[];
}

const BUFFER_BYTES = 64 * 1024;

/**
 * Implements what a Registry asks of its metrics: honest values for `getMetricsAsJSON()`, and for
 * `metrics()` text from ready bytes. `/metrics` streams the same bytes without the Registry, which
 * would join everything to one string.
 */
export class RegistryFamily {
  readonly name: string;
  readonly #family: Family;

  constructor(family: Family) {
    this.name = family.name;
    this.#family = family;
  }

  /** Values as doubles: above 2^53 they are rounded, as everywhere in prom-client. */
  get(): RegistryValues {
    const values: RegistryValue[] = [];
    for (const member of this.#family.members) {
      const { set } = member.entry;
      for (let series = nextLive(set, 0); series < set.seriesCount;) {
        pushValues(values, { family: this.#family, member, series });
        series = nextLive(set, series + 1);
      }
    }
    return this.#describe(values);
  }

  /**
   * All lines but the last value in one sample name: the Registry prints sample names as they are,
   * followed by a blank and the value.
   */
  getForPromString(): RegistryValues {
    const text = familyText(this.#family);
    const valueStart = text.lastIndexOf(" ") + 1;
    if (valueStart === 0) return this.#describe([]);
    const metricName = text.slice(0, valueStart - 1);
    const value = Number(text.slice(valueStart).replace("Inf", "Infinity"));
    return this.#describe([{ metricName, labels: {}, value }]);
  }

  /** Nothing to do: gadgets own their values. */
  reset(): void {}

  #describe(values: readonly RegistryValue[]): RegistryValues {
    const { name, help, type } = this.#family;
    return { name, help, type, aggregator: "sum", values };
  }
}

function familyText(family: Family): string {
  const out = new ByteWriter(BUFFER_BYTES);
  const decoder = new TextDecoder();
  let text = "";
  for (const member of family.members) {
    const { set } = member.entry;
    let from = 0;
    while (from < set.seriesCount) {
      from = writeSamples(out, { family, member, format: "text", from });
      text += decoder.decode(out.written());
      out.clear();
    }
  }
  return text.trimEnd();
}

function pushValues(
  values: RegistryValue[],
  { family, member, series }: { family: Family; member: FamilyMember; series: number },
): void {
  const labels = Object.fromEntries(member.entry.labels.labelsOf(series));
  const column = member.instrument.column();
  switch (column.kind) {
    case "integer":
      values.push({ value: integerAt(column, series), labels });
      return;
    case "float":
      values.push({ value: column.values[series], labels });
      return;
    case "histogram":
      pushHistogram(values, { name: family.name, column, series, labels });
  }
}

function pushHistogram(
  values: RegistryValue[],
  { name, column, series, labels }: {
    name: string;
    column: HistogramColumn;
    series: number;
    labels: Record<string, string>;
  },
): void {
  let total = 0;
  for (let bucket = 0; bucket < column.stride; bucket++) {
    const at = 2 * (series * column.stride + bucket);
    total += column.counts[at + 1] * 4294967296 + column.counts[at];
    const le = bucket < column.upperBounds.length ? column.upperBounds[bucket] : "+Inf";
    values.push({ value: total, labels: { ...labels, le }, metricName: `${name}_bucket` });
  }
  values.push({ value: column.sums[series], labels, metricName: `${name}_sum` });
  values.push({ value: total, labels, metricName: `${name}_count` });
}

function integerAt({ words, signed }: IntegerColumn, series: number): number {
  const high = words[2 * series + 1];
  return (signed ? high | 0 : high) * 4294967296 + words[2 * series];
}
