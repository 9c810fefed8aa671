/** Has the metrics collected of every data source that has some. */

import type { LocalDataSource, Operator } from "./operator.ts";

/** Before all that take metrics. */
export const METRICS_OPERATOR: Operator = {
  name: "metrics",
  priority: 50,
  instantiate(gadget) {
    for (const source of gadget.dataSources) {
      if (isRefused(source) || source.collect()) continue;
      gadget.warn(
        `data source ${source.name} has no metrics: annotate a field, for example ` +
          `--annotate ${source.name}:metrics.implicit-counter.name=events`,
      );
    }
    return undefined;
  },
};

function isRefused({ annotations }: LocalDataSource): boolean {
  return annotations["metrics.collect"] === "false";
}
