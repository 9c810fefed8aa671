/** A gadget with a metric of each type, with labels and without. */

import type { GadgetMetrics, ShownMetric } from "../../../src/dashboard/mod.ts";

const METRICS: readonly ShownMetric[] = [
  { name: "io_bytes_total", title: "io", type: "counter", unit: "By", description: "Bytes moved" },
  { name: "depth", title: "depth", type: "gauge", unit: "", description: "" },
  {
    name: "wait_nanoseconds",
    title: "disk.wait",
    type: "histogram",
    unit: "ns",
    description: "Time waited",
  },
];

export const SAMPLE_GADGET: GadgetMetrics = {
  name: "disk",
  description: "What disks do",
  sources: [
    {
      name: "keyed",
      scope: "disk/keyed",
      labels: ["disk", "job"],
      metrics: METRICS,
      origin: "mapiter",
    },
    { name: "whole", scope: "disk/whole", labels: [], metrics: METRICS, origin: "tracer" },
  ],
};
