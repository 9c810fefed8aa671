/** What can be said of a run's options without the kernel. */

import { encodeParam } from "../gadget/mod.ts";
import { filterOf } from "../operators/mod.ts";
import type { ParsedGadget } from "./parse_gadget.ts";
import type { RunOptions } from "./run_options.ts";

/** Tries filter and parameters. @throws UsageError as a start would. */
export function checkRunOptions(
  { spec }: ParsedGadget,
  { operatorParams, params }: Pick<RunOptions, "operatorParams" | "params">,
): void {
  const filter = operatorParams.get("filter") ?? "";
  for (const source of spec.dataSources) filterOf(source, spec.dataSources, filter);
  for (const param of spec.params) {
    const text = params.get(param.key);
    if (text !== undefined && text !== "") encodeParam(param, text);
  }
}
