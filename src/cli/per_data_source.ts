/** Flag values that may be given for single data sources: `v` for all, or `ds:v,ds2:v2`. */

import { UsageError } from "../errors.ts";
import type { GadgetSpec } from "../gadget/mod.ts";
import { suggestName } from "../text/mod.ts";
import type { ParsedFlags } from "./flags.ts";

/** Where a value comes from, and how it is read. */
export interface PerDataSourceOptions<T> {
  readonly flags: ParsedFlags;
  readonly spec: GadgetSpec;
  /** What stands between two data sources; `;` for values with commas of their own. */
  readonly separator?: "," | ";";
  readonly parse: (text: string) => T;
}

/**
 * Reads a flag. @returns its value for a data source; undefined where it says nothing.
 * @throws UsageError for data sources that the gadget does not have.
 */
export function perDataSource<T>(
  name: string,
  options: PerDataSourceOptions<T>,
): (dataSource: string) => T | undefined {
  const { flags, spec, separator = ",", parse } = options;
  const text = flags.text(name);
  if (text === undefined) return () => undefined;
  if (!text.includes(":")) {
    const all = parse(text);
    return () => all;
  }
  const known = spec.dataSources.map((source) => source.name);
  const named = new Map<string, T>();
  for (const item of text.split(separator)) {
    const colon = item.indexOf(":");
    const source = item.slice(0, Math.max(0, colon)).trim();
    if (!known.includes(source)) {
      throw new UsageError(`--${name} "${item}": ${source || "the item"} names no data source`, {
        hint: suggestName(source, known, "data sources"),
      });
    }
    named.set(source, parse(item.slice(colon + 1)));
  }
  return (dataSource) => named.get(dataSource);
}
