/** The choices at the top of a dashboard. */

import { DATA_SOURCE, type Variable } from "./grafana.ts";
import { labelIs, selector } from "./promql.ts";

const TOP_CHOICES = ["5", "10", "20", "50"];
const TOP_DEFAULT = "10";

/** Data source, jobs and instances that run the gadget, and how many of many series are shown. */
export function dashboardVariables(gadget: string): Variable[] {
  const is = labelIs("gadget", gadget);
  return [
    {
      type: "datasource",
      name: "DS_PROMETHEUS",
      label: "Data source",
      query: "prometheus",
      current: {},
      options: [],
      hide: 0,
      includeAll: false,
      multi: false,
      refresh: 1,
      regex: "",
      skipUrlSync: false,
    },
    labelVariable("job", { label: "Job", matchers: [is] }),
    labelVariable("instance", { label: "Instance", matchers: [is, 'job=~"$job"'] }),
    {
      type: "custom",
      name: "top",
      label: "Series shown",
      query: TOP_CHOICES.join(","),
      current: { selected: true, text: TOP_DEFAULT, value: TOP_DEFAULT },
      options: TOP_CHOICES.map((choice) => ({
        selected: choice === TOP_DEFAULT,
        text: choice,
        value: choice,
      })),
      hide: 0,
      includeAll: false,
      multi: false,
      skipUrlSync: false,
    },
  ];
}

/** All values of a label that kmeter has for the gadget. */
function labelVariable(
  name: string,
  { label, matchers }: { label: string; matchers: readonly string[] },
): Variable {
  const query = `label_values(${selector("kmeter_program_attached", matchers)}, ${name})`;
  return {
    type: "query",
    name,
    label,
    datasource: DATA_SOURCE,
    definition: query,
    query: { qryType: 1, query, refId: "PrometheusVariableQueryEditor-VariableQuery" },
    current: { selected: true, text: ["All"], value: ["$__all"] },
    options: [],
    allValue: ".+",
    hide: 0,
    includeAll: true,
    multi: true,
    // With each change of the time range: instances come and go.
    refresh: 2,
    regex: "",
    skipUrlSync: false,
    sort: 1,
  };
}
