/** Has the metrics collected of every data source that has some. */

import type { Operator } from "./operator.ts";
import { refusesMetrics } from "./planned_source.ts";

/** Before all that take metrics. */
export const METRICS_OPERATOR: Operator = {
  name: "metrics",
  priority: 50,
  instantiate(gadget) {
    for (const source of gadget.dataSources) {
      if (refusesMetrics(source) || source.collect()) continue;
      gadget.warn(
        `data source ${source.name} has no metrics: annotate a field, for example ` +
          `--annotate ${source.name}:metrics.implicit-counter.name=events`,
      );
    }
    return undefined;
  },
};
