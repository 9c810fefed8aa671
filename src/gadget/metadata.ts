/** Reads `gadget.yaml`: structure, spelling of keys, and values as text. */

import type { AnnotationEntry, Place } from "./annotation_entry.ts";
import type { ProgramSettings } from "./spec.ts";
import {
  describeNode,
  keyOf,
  parseYaml,
  readMapping,
  readText,
  readTextList,
  type YamlNode,
} from "./_yaml_node.ts";
import { mappingOf, readDistinctKeys, readSection, type Section } from "./_yaml_section.ts";
import { FormatError } from "../errors.ts";

/** What `gadget.yaml` says, before it is compared with the object. */
export interface GadgetMetadata {
  readonly name: string;
  readonly description: string;
  readonly homepageUrl: string;
  readonly documentationUrl: string;
  readonly sourceUrl: string;
  /** Annotations of the gadget as a whole, meant for its image. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly dataSources: readonly DataSourceMetadata[];
  readonly params: readonly ParamMetadata[];
  /** Fully qualified parameter names and the defaults that they get. */
  readonly paramDefaults: Readonly<Record<string, string>>;
  readonly programs: Readonly<Record<string, ProgramSettings>>;
  /** What was understood but has no effect, one sentence each. */
  readonly warnings: readonly string[];
}

export interface DataSourceMetadata {
  readonly name: string;
  readonly place: Place;
  readonly tags: readonly string[];
  /** Of the data source itself; `field` is absent. */
  readonly annotations: readonly AnnotationEntry[];
  readonly fields: readonly FieldMetadata[];
}

export interface FieldMetadata {
  readonly name: string;
  readonly place: Place;
  readonly tags: readonly string[];
  readonly annotations: readonly AnnotationEntry[];
}

export interface ParamMetadata {
  /** C variable. */
  readonly variable: string;
  readonly place: Place;
  readonly key?: string;
  readonly description?: string;
  readonly defaultValue?: string;
}

const TOP_LEVEL_KEYS = [
  "name",
  "description",
  "homepageURL",
  "documentationURL",
  "sourceURL",
  "annotations",
  "datasources",
  "params",
  "ebpfParams",
  "paramDefaults",
  "programs",
  "operator",
  "wasm",
  "custom",
] as const;
const DATA_SOURCE_KEYS = ["tags", "annotations", "fields"] as const;
const FIELD_KEYS = ["tags", "annotations"] as const;
const PARAM_GROUPS = ["ebpf", "wasm", "custom"] as const;
const PARAM_KEYS = [
  "key",
  "alias",
  "title",
  "description",
  "defaultValue",
  "typeHint",
  "valueHint",
  "oneOf",
  "isMandatory",
  "tags",
] as const;
const PROGRAM_KEYS = ["attach_to", "perf", "sampler"] as const;
const SAMPLER_KEYS = ["frequency"] as const;

/**
 * Parses a `gadget.yaml`.
 *
 * Throws: FormatError for YAML syntax (file, line, column), for wrong structure and for misspelt
 * keys (file, line, path).
 */
export function parseMetadata(text: string, file = "gadget.yaml"): GadgetMetadata {
  const root = parseYaml(text, file);
  const warnings: string[] = [];
  for (const child of readMapping(root)) rejectLostIndentation(child);
  const sections = readSection(root, TOP_LEVEL_KEYS, { warnings });
  const ebpfParams = readParams(sections, warnings);
  const operators = mappingOf(sections.get("operator"));
  for (const node of operators) {
    warnings.push(`${describeNode(node)}: kmeter has no built-in data sources; ignored`);
  }
  return {
    name: textOf(sections.get("name")),
    description: textOf(sections.get("description")),
    homepageUrl: textOf(sections.get("homepageURL")),
    documentationUrl: textOf(sections.get("documentationURL")),
    sourceUrl: textOf(sections.get("sourceURL")),
    annotations: readTextMap(sections.get("annotations")),
    dataSources: mappingOf(sections.get("datasources")).map((node) =>
      readDataSource(node, warnings)
    ),
    params: ebpfParams,
    paramDefaults: readTextMap(sections.get("paramDefaults")),
    programs: Object.fromEntries(
      mappingOf(sections.get("programs")).map((node) => [keyOf(node), readProgram(node, warnings)]),
    ),
    warnings,
  };
}

/** Text pasted from a web page may have lost its indentation: everything stands at the top then. */
function rejectLostIndentation(child: YamlNode): void {
  const key = keyOf(child);
  const owner = ["fields", "tags"].includes(key.toLowerCase())
    ? "a data source"
    : /^m[ae]trics\./i.test(key)
    ? "the annotations of a data source or field"
    : undefined;
  if (owner === undefined) return;
  throw new FormatError(
    `Misplaced key in ${
      describeNode(child)
    }: "${key}" stands at the top of the file, but belongs to ${owner}`,
    { hint: "check the indentation: datasources: / <name>: / fields: / <field>: / annotations:" },
  );
}

function readDataSource(node: YamlNode, warnings: string[]): DataSourceMetadata {
  const sections = readSection(node, DATA_SOURCE_KEYS, {
    warnings,
    hint: 'a data source has "annotations:", "fields:" and "tags:"; ' +
      'metrics.* and other annotations stand under "annotations:"',
  });
  const dataSource = keyOf(node);
  return {
    name: dataSource,
    place: placeOf(node),
    tags: tagsOf(sections),
    annotations: readAnnotations(sections.get("annotations"), { dataSource }),
    fields: mappingOf(sections.get("fields")).map((field) =>
      readField(field, { dataSource, warnings })
    ),
  };
}

function readField(
  node: YamlNode,
  context: { dataSource: string; warnings: string[] },
): FieldMetadata {
  const sections = readSection(node, FIELD_KEYS, {
    warnings: context.warnings,
    hint: 'a field has "annotations:" and "tags:"; metrics.* and other annotations stand under ' +
      `"annotations:", members of structs are written with dots, as in "${keyOf(node)}.member:"`,
  });
  const field = keyOf(node);
  return {
    name: field,
    place: placeOf(node),
    tags: tagsOf(sections),
    annotations: readAnnotations(sections.get("annotations"), {
      dataSource: context.dataSource,
      field,
    }),
  };
}

function readAnnotations(
  node: YamlNode | undefined,
  subject: { dataSource: string; field?: string },
): AnnotationEntry[] {
  return [...readDistinctKeys(node)].map(([key, child]) => ({
    ...subject,
    key,
    value: readText(child),
    place: placeOf(child),
  }));
}

function readParams(sections: Section<string>, warnings: string[]): ParamMetadata[] {
  const params = sections.get("params");
  const groups = params && readSection(params, PARAM_GROUPS, { warnings });
  for (const group of ["wasm", "custom"] as const) {
    for (const node of mappingOf(groups?.get(group))) {
      warnings.push(`${describeNode(node)}: ${group} parameters are not supported; ignored`);
    }
  }
  for (const node of [sections.get("wasm"), sections.get("custom")]) {
    if (node) warnings.push(`${describeNode(node)}: not supported; ignored`);
  }
  return [...mappingOf(groups?.get("ebpf")), ...mappingOf(sections.get("ebpfParams"))].map((node) =>
    readParam(node, warnings)
  );
}

function readParam(node: YamlNode, warnings: string[]): ParamMetadata {
  const sections = readSection(node, PARAM_KEYS, { warnings });
  const optionalText = (key: typeof PARAM_KEYS[number]) => {
    const child = sections.get(key);
    return child === undefined || child.value === null ? undefined : readText(child);
  };
  return {
    variable: keyOf(node),
    place: placeOf(node),
    key: optionalText("key"),
    description: optionalText("description"),
    defaultValue: optionalText("defaultValue"),
  };
}

function readProgram(node: YamlNode, warnings: string[]): ProgramSettings {
  const sections = readSection(node, PROGRAM_KEYS, { warnings });
  const attachTo = sections.get("attach_to");
  const sampler = sections.get("sampler");
  const frequency = sampler && readSection(sampler, SAMPLER_KEYS, { warnings }).get("frequency");
  return {
    ...(attachTo && { attachTo: readText(attachTo) }),
    ...(frequency && { sampleFrequencyHz: readFrequency(frequency) }),
  };
}

function readFrequency(node: YamlNode): number {
  const text = readText(node);
  const frequency = Number(text);
  if (/^\d+$/.test(text) && frequency > 0 && frequency <= 1e6) return frequency;
  throw new FormatError(
    `Wrong value in ${describeNode(node)}: expected samples per second from 1 to 1000000, got ${
      JSON.stringify(text)
    }`,
    { hint: "a usual one is 99" },
  );
}

function textOf(node: YamlNode | undefined): string {
  return node === undefined ? "" : readText(node);
}

function tagsOf(sections: Section<"tags" | "annotations" | "fields">): string[] {
  const node = sections.get("tags");
  return node === undefined ? [] : readTextList(node);
}

function readTextMap(node: YamlNode | undefined): Record<string, string> {
  return Object.fromEntries(mappingOf(node).map((child) => [keyOf(child), readText(child)]));
}

function placeOf(node: YamlNode): Place {
  return { kind: "file", describe: () => describeNode(node) };
}
