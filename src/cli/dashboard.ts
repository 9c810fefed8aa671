/** `kmeter dashboard GADGET`: a Grafana dashboard of the gadget's metrics. */

import { makeDashboard, type MetricSource } from "../dashboard/mod.ts";
import { parseGadget } from "../engine/mod.ts";
import { UsageError } from "../errors.ts";
import type { DataSourceSpec, GadgetSpec } from "../gadget/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { type Flag, onlyArgument, parseFlags, refuseUnknownFlags } from "./flags.ts";
import { exportedMetrics } from "./gadget_metrics.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { writeNotice, writeOutput } from "./output.ts";
import { ownLines } from "./report_error.ts";
import { metricsPrefixOf, RUN_FLAGS, scopesOf } from "./run_flags.ts";

/** Flags of `kmeter run` that change the names of metrics, of their labels, or of their scope. */
const NAMING_FLAGS = ["annotate", "otel-metrics-name", "metrics-prefix"];

const FLAGS: readonly Flag[] = [
  ...RUN_FLAGS.filter(({ name }) => NAMING_FLAGS.includes(name)),
  LIBBPF_FLAG,
  HELP_FLAG,
];

export const dashboardCommand: CommandBody = {
  usage: "GADGET [flags]",
  details: "Give it the flags that kmeter run gets: they change names. Needs no root.",
  flags: FLAGS,
  run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    const name = onlyArgument(flags, "dashboard", "gadget");
    chooseLibbpf(flags);
    const { spec, warnings } = parseGadget(name, flags.texts("annotate"));
    for (const warning of warnings) writeNotice(`warning: ${ownLines(warning)}`);
    const sources = metricSources(spec, {
      prefix: metricsPrefixOf(flags),
      scopes: scopesOf(flags, spec),
    });
    if (sources.length === 0) {
      throw new UsageError(`Cannot make a dashboard of "${spec.name}": it makes no metrics`, {
        hint: "annotate fields with metrics.type; kmeter inspect shows them",
      });
    }
    const dashboard = makeDashboard({ name: spec.name, description: spec.description, sources });
    writeOutput(`${JSON.stringify(dashboard, null, 2)}\n`);
    return 0;
  },
};

function metricSources(
  spec: GadgetSpec,
  { prefix, scopes }: { prefix?: string; scopes: ReadonlyMap<string, string> },
): MetricSource[] {
  return spec.dataSources.filter(isCollected).flatMap((source) => {
    const { labels, metrics } = exportedMetrics(source, { prefix });
    if (metrics.length === 0) return [];
    return [{
      name: source.name,
      scope: scopes.get(source.name) ?? `${spec.name}/${source.name}`,
      labels,
      metrics: metrics.map(({ instrument, ...rest }) => ({ ...rest, title: instrument })),
      origin: source.origin.kind,
    }];
  });
}

function isCollected({ annotations }: DataSourceSpec): boolean {
  return annotations["metrics.collect"] !== "false";
}
