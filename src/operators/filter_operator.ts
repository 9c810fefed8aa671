/** `--filter`: which records are shown and counted. */

import { type FilterChecks, type FilterTerm, parseFilter } from "../decode/mod.ts";
import { numberNames } from "../enrich/mod.ts";
import { UsageError } from "../errors.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { Operator } from "./operator.ts";

const FILTER_CHECKS: FilterChecks = {
  namesOf: (format) => numberNames(format, Deno.build.arch),
};

/** Before all that take rows. */
export const FILTER_OPERATOR: Operator = {
  name: "filter",
  priority: 20,
  params: [{
    name: "filter",
    short: "F",
    value: "EXPR",
    description:
      "only rows that match, for metrics too: field==v, != >= <= > < ~re !~re; comma = and",
  }],
  instantiate(gadget) {
    const filter = gadget.param("filter") ?? "";
    const specs = gadget.dataSources.map(({ spec }) => spec);
    for (const source of gadget.dataSources) source.addFilter(filterOf(source.spec, specs, filter));
    return undefined;
  },
};

/**
 * The terms of a filter for one data source. With several data sources it is for those that have its fields.
 * @param specs all data sources of the gadget.
 * @throws UsageError if none has.
 */
export function filterOf(
  source: DataSourceSpec,
  specs: readonly DataSourceSpec[],
  filter: string,
): readonly FilterTerm[] {
  try {
    return parseFilter(filter, source.fields, FILTER_CHECKS);
  } catch (error) {
    const others = specs.filter((other) => other !== source);
    if (error instanceof UsageError && others.some((other) => accepts(filter, other))) return [];
    throw error;
  }
}

function accepts(filter: string, spec: DataSourceSpec): boolean {
  try {
    parseFilter(filter, spec.fields, FILTER_CHECKS);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}
