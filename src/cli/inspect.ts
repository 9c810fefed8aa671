/** `kmeter inspect GADGET`: what a gadget has, and the metrics it would make. */

import type { Field } from "../decode/mod.ts";
import { parseGadget } from "../engine/mod.ts";
import type { DataSourceSpec, ParamSpec } from "../gadget/mod.ts";
import { escapeControls } from "../text/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { type Flag, onlyArgument, parseFlags, refuseUnknownFlags } from "./flags.ts";
import { exportedMetrics } from "./gadget_metrics.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { ownLines } from "./report_error.ts";
import { escapeLines, writeNotice, writeOutput } from "./output.ts";

const FLAGS: readonly Flag[] = [
  {
    name: "annotate",
    value: "LIST",
    repeats: true,
    description: "annotations to add, as for kmeter run",
  },
  LIBBPF_FLAG,
  HELP_FLAG,
];

export const inspectCommand: CommandBody = {
  usage: "GADGET [flags]",
  details: "Needs no root: only the gadget's files are read.",
  flags: FLAGS,
  run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    const name = onlyArgument(flags, "inspect", "gadget");
    chooseLibbpf(flags);
    const { spec, warnings } = parseGadget(name, flags.texts("annotate"));
    for (const warning of warnings) writeNotice(`warning: ${ownLines(warning)}`);
    const parts = [
      `${spec.name}: ${spec.description}\n`,
      ...spec.dataSources.map(describeDataSource),
      ...(spec.params.length > 0 ? [describeParams(spec.params)] : []),
    ];
    writeOutput(escapeLines(parts.join("\n")));
    return 0;
  },
};

function describeDataSource(source: DataSourceSpec): string {
  const lines = [escapeControls(`data source ${source.name} (${originOf(source)})`)];
  for (const [key, value] of Object.entries(source.annotations)) {
    lines.push(escapeControls(`  @${key}: ${value}`));
  }
  const rows = source.fields.map(describeField);
  lines.push(...alignColumns([["FIELD", "TYPE", "BYTES", "TAGS"], ...rows]));
  lines.push(...describeMetrics(source));
  return `${lines.join("\n")}\n`;
}

function originOf({ origin }: DataSourceSpec): string {
  switch (origin.kind) {
    case "tracer":
      return `events of struct ${origin.struct} from map ${origin.map}`;
    case "mapiter":
      return `entries of map ${origin.map}`;
    case "iter":
      return `rows of struct ${origin.struct} from ${origin.programs.join(", ")}`;
  }
}

function describeField(field: Field): string[] {
  const array = field.arrayLength > 0 ? `[${field.arrayLength}]` : "";
  const shownAs = field.format === undefined ? "" : ` as ${field.format.type}`;
  const bits = field.bitSize > 0 ? `, bits ${field.bitOffset}+${field.bitSize}` : "";
  const place = `${
    field.segment === 1 ? "value " : ""
  }${field.offsetBytes}+${field.sizeBytes}${bits}`;
  const tags = field.tags.filter((tag) => tag.startsWith("type:") || tag.startsWith("role:"));
  const hidden = field.hidden ? ["hidden"] : [];
  return [
    field.name,
    `${field.kind}${array}${shownAs}`,
    place,
    [...tags, ...hidden].join(" "),
  ];
}

function describeMetrics(source: DataSourceSpec): string[] {
  const { labels, metrics } = exportedMetrics(source);
  if (metrics.length === 0) return ["  no metrics"];
  const labelText = labels.length > 0 ? `{${labels.join(", ")}}` : "";
  return alignColumns([
    ["METRIC", "TYPE", "FROM", "DESCRIPTION"],
    ...metrics.map(({ name, type, field, description }) => [
      name + labelText,
      type,
      field === undefined ? "per record" : `from ${field}`,
      description,
    ]),
  ]);
}

function describeParams(params: readonly ParamSpec[]): string {
  const rows = params.map(({ key, kind, defaultValue, description }) => [
    `--${key}`,
    kind,
    defaultValue === "" ? "-" : defaultValue,
    description,
  ]);
  const lines = alignColumns([["PARAMETER", "TYPE", "DEFAULT", "DESCRIPTION"], ...rows]);
  return `parameters\n${lines.join("\n")}\n`;
}

/** Pads all columns but the last; indented under what they belong to. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const shown = rows.map((row) => row.map(escapeControls));
  const widths = shown[0].map((_, column) => Math.max(...shown.map((row) => row[column].length)));
  return shown.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ")}`.trimEnd()
  );
}
