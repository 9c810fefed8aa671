/** What can be said of a run's options without the kernel. */

import { numberNames } from "../enrich/mod.ts";
import { UsageError } from "../errors.ts";
import { type FilterChecks, type FilterTerm, parseFilter } from "../decode/mod.ts";
import { type DataSourceSpec, encodeParam, type GadgetSpec } from "../gadget/mod.ts";
import type { ParsedGadget } from "./parse_gadget.ts";
import type { RunOptions } from "./run_options.ts";

const FILTER_CHECKS: FilterChecks = {
  namesOf: (format) => numberNames(format, Deno.build.arch),
};

/** Tries filter and parameters. @throws UsageError as a start would. */
export function checkRunOptions(
  { spec }: ParsedGadget,
  { filter, params }: Pick<RunOptions, "filter" | "params">,
): void {
  for (const source of spec.dataSources) filterOf(source, { spec, filter });
  for (const param of spec.params) {
    const text = params.get(param.key);
    if (text !== undefined && text !== "") encodeParam(param, text);
  }
}

/**
 * The terms of a filter for one data source. With several data sources it is for those that have its fields.
 * @throws UsageError if none has.
 */
export function filterOf(
  source: DataSourceSpec,
  { spec, filter }: { spec: GadgetSpec; filter: string },
): readonly FilterTerm[] {
  try {
    return parseFilter(filter, source.fields, FILTER_CHECKS);
  } catch (error) {
    const others = spec.dataSources.filter((other) => other !== source);
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
