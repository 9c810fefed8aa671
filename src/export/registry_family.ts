/** A gadget's metric family as prom-client's Registry sees it. */

import { ByteWriter } from "./_byte_writer.ts";
import { type Family, type FamilyMember, settle, withMerged } from "./_family.ts";
import { isBetweenKeys, NO_EXTRAS, writeSamples } from "./_sample_writer.ts";
import type { HistogramColumn } from "../metrics/mod.ts";

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
    for (const member of settledMembers(this.#family)) {
      const { set } = member.entry;
      for (let series = 0; series < set.seriesCount; series++) {
        if (!set.isLive(series)) continue;
        pushValues(values, { family: this.#family, member, series });
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

function settledMembers({ members }: Family): FamilyMember[] {
  for (const { entry } of members) settle(entry);
  return withMerged(members);
}

function familyText(family: Family): string {
  const out = new ByteWriter(BUFFER_BYTES);
  const decoder = new TextDecoder();
  let text = "";
  for (const member of settledMembers(family)) {
    const { set } = member.entry;
    let from = 0;
    while (from < set.seriesCount) {
      const maxRows = set.seriesCount;
      from = writeSamples(out, {
        family,
        member,
        format: "text",
        extras: NO_EXTRAS,
        from,
        maxRows,
      });
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
  const { set, labels: arena } = member.entry;
  const generation = set.generation(series);
  if (isBetweenKeys(generation) || arena.at(series, generation) === undefined) return;
  const before = values.length;
  const labels = Object.fromEntries(arena.labelsOf(series));
  const column = member.instrument.column();
  const first = series * column.stride + column.offset;
  switch (column.kind) {
    case "integer": {
      const bits = column.cells[first];
      values.push({ value: Number(column.signed ? BigInt.asIntN(64, bits) : bits), labels });
      break;
    }
    case "float":
      values.push({ value: column.floats[first], labels });
      break;
    case "histogram":
      pushHistogram(values, { name: family.name, column, first, labels });
  }
  if (set.generation(series) !== generation) values.length = before;
}

function pushHistogram(
  values: RegistryValue[],
  { name, column, first, labels }: {
    name: string;
    column: HistogramColumn;
    /** Index of the first bucket's cell. */
    first: number;
    labels: Record<string, string>;
  },
): void {
  const { upperBounds, cells, floats } = column;
  const buckets = upperBounds.length + 1;
  let total = 0n;
  for (let bucket = 0; bucket < buckets; bucket++) {
    total += cells[first + bucket];
    const le = bucket < upperBounds.length ? upperBounds[bucket] : "+Inf";
    values.push({ value: Number(total), labels: { ...labels, le }, metricName: `${name}_bucket` });
  }
  values.push({ value: floats[first + buckets], labels, metricName: `${name}_sum` });
  values.push({ value: Number(total), labels, metricName: `${name}_count` });
}
