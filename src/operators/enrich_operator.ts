/** Names of numbers, times, addresses, accounts and kernel stacks, as texts of fields. */

import { createFormatters, hostEnvironment, readClocks } from "../enrich/mod.ts";
import type { Operator } from "./operator.ts";

/** First of all: filters, labels and columns are of these texts. */
export const ENRICH_OPERATOR: Operator = {
  name: "enrich",
  priority: 10,
  instantiate(gadget) {
    const environment = hostEnvironment({
      readClocks,
      kernelStack: (id) => gadget.kernelStack(id),
    });
    for (const source of gadget.dataSources) {
      const formatters = createFormatters(source.fields, environment);
      for (const [field, formatter] of formatters) source.setText(field, formatter);
    }
    return undefined;
  },
};
