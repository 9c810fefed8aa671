/** What people and gadget authors write: gadget.yaml, `--annotate`, `--filter`. */

import { parseBtf } from "../../../src/btf/mod.ts";
import { matchesFilter, parseFilter, type RecordBytes } from "../../../src/decode/mod.ts";
import { createFormatters, numberNames } from "../../../src/enrich/mod.ts";
import { buildGadgetSpec, type DataSourceSpec } from "../../../src/gadget/mod.ts";
import { sampleEnvironment } from "../../unit/enrich/sample_environment.ts";
import { Random } from "../../unit/random.ts";
import { mutateText } from "../mutate.ts";
import { type FuzzTarget, parseOrRefuse, textOf } from "../target.ts";
import { builtinGadgets } from "./seeds.ts";

const gadgets = builtinGadgets().map((gadget) => ({
  ...gadget,
  btf: parseBtf(gadget.elf.sections.get(".BTF") ?? new Uint8Array()),
}));
const encoder = new TextEncoder();

const KEYS = [
  "metrics.type",
  "metrics.collect",
  "metrics.print",
  "metrics.limit",
  "metrics.ttl",
  "metrics.boundaries",
  "metrics.unit",
  "metrics.name",
  "metrics.implicit-counter.name",
  "columns.width",
  "columns.alignment",
  "columns.ellipsis",
  "columns.hidden",
  "columns.alias",
  "template",
  "description",
  "fetch-interval",
  "fetch-count",
  "ebpf.map.read",
  "ebpf.map.percpu",
  "formatters.bytes",
];
const VALUES = [
  "counter",
  "gauge",
  "histogram",
  "key",
  "true",
  "false",
  "1,2,4",
  "1\\,2",
  "5s",
  "drain",
];
const YAML_WORDS = [
  ...KEYS.map((key) => `        ${key}: `),
  ...VALUES,
  "name:",
  "datasources:",
  "    fields:",
  "    annotations:",
  "params:",
  "ebpf:",
  "paramDefaults:",
  "programs:",
  "defaultValue:",
  "&a",
  "*a",
  "<<: *a",
  "!!binary",
  "!!js/function",
  "|\n",
  ">-\n",
  "? ",
  "- ",
  "[",
  "]",
  "{",
  "}",
  "---\n",
  "%TAG",
  "#",
  "~",
];

/** Fields that live in one data source of one built-in gadget. */
function sources(): DataSourceSpec[] {
  return gadgets.flatMap(({ spec }) => spec.dataSources);
}

function buildWith(
  gadget: typeof gadgets[number],
  options: { metadataText?: string; annotate: readonly string[] },
): void {
  parseOrRefuse(() =>
    buildGadgetSpec({
      name: gadget.files.name,
      btf: gadget.btf,
      sections: gadget.elf.sections,
      symbols: gadget.elf.symbols,
      metadataFile: "gadget.yaml",
      ...options,
    })
  );
}

export const metadataTarget: FuzzTarget = {
  name: "metadata",
  make(random) {
    const text = random.pick(gadgets).files.metadataText ?? "";
    return encoder.encode(mutateText(random, text, YAML_WORDS));
  },
  check(input) {
    const metadataText = textOf(input);
    for (const gadget of gadgets.slice(0, 4)) buildWith(gadget, { metadataText, annotate: [] });
  },
};

const ANNOTATIONS = gadgets.flatMap(({ spec }) =>
  spec.dataSources.flatMap(({ name, fields }) => [
    `${name}:metrics.implicit-counter.name=events`,
    ...fields.map((field, index) => `${name}.${field.name}:${KEYS[index % KEYS.length]}=`),
  ])
);

export const annotateTarget: FuzzTarget = {
  name: "annotate",
  make(random) {
    const items = Array.from(
      { length: random.between(1, 4) },
      () => random.pick(ANNOTATIONS) + random.pick(VALUES),
    );
    return encoder.encode(
      mutateText(random, items.join(","), [...ANNOTATIONS, ...KEYS, ...VALUES]),
    );
  },
  check(input) {
    const annotate = [textOf(input)];
    for (const gadget of gadgets) {
      buildWith(gadget, { metadataText: gadget.files.metadataText, annotate });
    }
  },
};

const OPERATORS = ["==", "=", "!=", ">=", "<=", ">", "<", "~", "!~", "=~", "==="];
const OPERANDS = [
  "0",
  "-1",
  "18446744073709551616",
  "0xffffffffffffffffffffffffffffffffff",
  "1e400",
  "NaN",
  "-0",
  "true",
  "EPERM",
  "SIGKILL",
  "bash",
  "(?i)^a",
  "(?ii)",
  "(?imsx)",
  "[",
  "(?<n>a)\\k<n>",
  "a\\,b",
];

export const filterTarget: FuzzTarget = {
  name: "filter",
  make(random) {
    const { fields } = random.pick(sources());
    const terms = Array.from(
      { length: random.between(1, 3) },
      () => random.pick(fields).name + random.pick(OPERATORS) + random.pick(OPERANDS),
    );
    const text = terms.join(",");
    return encoder.encode(
      random.chance(0.2) ? text : mutateText(random, text, [...OPERATORS, ...OPERANDS]),
    );
  },
  check(input) {
    const text = textOf(input);
    for (const { fields, recordSizeBytes, valueSizeBytes } of sources()) {
      const terms = parseOrRefuse(() => parseFilter(text, fields, { namesOf }));
      if (terms === undefined) continue;
      const formatters = createFormatters(fields, sampleEnvironment());
      const random = new Random(recordSizeBytes);
      const views = [recordSizeBytes, valueSizeBytes].map((size) =>
        new DataView(random.bytes(size).buffer)
      );
      const record: RecordBytes = { segments: [views[0], views[1]], offsets: [0, 0] };
      // How long a pattern takes is up to who writes it.
      matchesFilter(terms.filter(({ type }) => type !== "pattern"), record, formatters);
    }
  },
};

function namesOf(format: Parameters<typeof numberNames>[0]): readonly string[] | undefined {
  return numberNames(format, "x86_64");
}
