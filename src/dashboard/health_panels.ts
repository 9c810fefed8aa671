/** Panels of what kmeter says of itself while it runs the gadget. */

import type { GadgetMetrics } from "./gadget_metrics.ts";
import { type PanelDraft, stat, timeseries } from "./grafana.ts";
import { labelIs, maxBy, rate, selector, sumBy, VARIABLE_MATCHERS } from "./promql.ts";

/** Losses, limits and cost. */
export function healthPanels({ name, sources }: GadgetMetrics): PanelDraft[] {
  const own = (metric: string) => selector(metric, [...VARIABLE_MATCHERS, labelIs("gadget", name)]);
  const hasEvents = sources.some(({ origin }) => origin === "tracer");
  const hasMaps = sources.some(({ origin }) => origin === "mapiter");
  const share = (used: string, room: string) =>
    maxBy(["instance", "datasource"], `${own(used)} / ${own(room)}`);
  return [
    stat({
      title: "Programs not attached",
      description: "eBPF programs that the kernel refused: what they would count is missing",
      unit: "short",
      queries: [{
        expr: `count(${own("kmeter_program_attached")} == 0) or vector(0)`,
        legend: "not attached",
      }],
      width: 4,
    }, { redFrom: 1 }),
    timeseries({
      title: "Records received and lost",
      description: "What is lost is missing in the metrics above",
      unit: "cps",
      queries: [
        {
          expr: sumBy(["datasource"], rate(own("kmeter_events_received_total"))),
          legend: "{{datasource}} received",
        },
        ...(hasEvents
          ? [{
            expr: sumBy(["datasource", "reason"], rate(own("kmeter_events_lost_total"))),
            legend: "{{datasource}} lost: {{reason}}",
          }]
          : []),
      ],
      width: 10,
    }),
    timeseries({
      title: "Room in use",
      description: "Series of those that metrics.limit allows, and entries of those that maps hold",
      unit: "percentunit",
      queries: [
        {
          expr: share("kmeter_series", "kmeter_series_limit"),
          legend: "{{instance}} {{datasource}} series",
        },
        ...(hasMaps
          ? [{
            expr: share("kmeter_map_entries", "kmeter_map_max_entries"),
            legend: "{{instance}} {{datasource}} map",
          }]
          : []),
      ],
      width: 10,
    }),
    timeseries({
      title: "CPU time of eBPF programs",
      description: "In cores; only where the kernel measures it",
      unit: "percentunit",
      queries: [{
        expr: sumBy(["program"], rate(own("kmeter_program_run_time_seconds_total"))),
        legend: "{{program}}",
      }],
      width: 12,
    }),
    timeseries({
      title: "CPU time of kmeter",
      description: "In cores",
      unit: "percentunit",
      queries: [{
        expr: maxBy(
          ["instance"],
          `${rate(selector("process_cpu_seconds_total", VARIABLE_MATCHERS))}` +
            ` and on (job, instance) ${own("kmeter_program_attached")}`,
        ),
        legend: "{{instance}}",
      }],
      width: 12,
    }),
  ];
}
