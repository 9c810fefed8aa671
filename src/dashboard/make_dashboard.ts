/** Metrics of a gadget → a Grafana dashboard. */

import type { GadgetMetrics } from "./gadget_metrics.ts";
import { type Dashboard, place, row, SCHEMA_VERSION } from "./grafana.ts";
import { healthPanels } from "./health_panels.ts";
import { metricPanels } from "./metric_panels.ts";
import { dashboardVariables } from "./variables.ts";

/** Grafana takes no longer uid. */
const UID_LENGTH_MAX = 40;

/** A row of panels for each data source, and one for kmeter itself. The same gadget has the same uid. */
export function makeDashboard(gadget: GadgetMetrics): Dashboard {
  return {
    id: null,
    uid: `kmeter-${gadget.name.replace(/[^A-Za-z0-9_-]+/g, "-")}`.slice(0, UID_LENGTH_MAX),
    title: `kmeter: ${gadget.name}`,
    description: gadget.description,
    tags: ["kmeter", "ebpf"],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    templating: { list: dashboardVariables(gadget.name) },
    annotations: { list: [] },
    links: [],
    panels: place([
      ...gadget.sources.flatMap((source) => [row(source.name), ...metricPanels(source)]),
      row("kmeter itself"),
      ...healthPanels(gadget),
    ]),
  };
}
