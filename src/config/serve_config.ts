/** The file of `kmeter serve`. Its keys are the flags of `kmeter run`: who knows one knows the other. */

import { FormatError } from "../errors.ts";
import {
  describeNode,
  keyOf,
  parseYaml,
  readItems,
  readMapping,
  type YamlNode,
} from "../gadget/mod.ts";
import { suggestName } from "../text/mod.ts";
import {
  type ConfigSetting,
  type ExporterContext,
  type ExporterEntry,
  readExporters,
  readForeignExporters,
} from "./exporter_entry.ts";
import { entryOf, type FlagNode, type GadgetEntry, textOf } from "./gadget_entry.ts";
import { readInstanceSpec } from "./_instance_spec.ts";
import type { Mistakes } from "./mistakes.ts";
import { type OperatorEntry, readOperators } from "./operator_entry.ts";
import { splitDocuments } from "./_yaml_documents.ts";

/** What the file says. Values of flags are not yet looked at. */
export interface ServeConfig {
  /** By flag name. */
  readonly settings: ReadonlyMap<string, ConfigSetting>;
  readonly exporters: readonly ExporterEntry[];
  readonly operators: readonly OperatorEntry[];
  readonly gadgets: readonly GadgetEntry[];
  /** What was understood but has no effect, one sentence each. */
  readonly warnings: readonly string[];
}

/** Keys that there are. */
export interface ConfigKeys {
  /** Of the whole process. */
  readonly settings: readonly string[];
  /** Of each gadget, beside `gadget`, `name` and `params`. */
  readonly gadget: readonly string[];
  /** Of each exporter. */
  readonly exporter: readonly string[];
}

const GADGETS = "gadgets";
const EXPORTERS = "exporters";
const OPERATORS = "operators";
/** Of `ig`'s config. */
const OPERATOR = "operator";
const ENTRY_KEYS = ["gadget", "name", "params"];
/**
 * Parses one or more YAML documents: those of kmeter, and those of Inspektor Gadget (`kind: instance-spec`).
 *
 * What is wrong with the rest is noted, each with its line and path. Throws: FormatError for YAML that is none, with
 * line and column.
 */
export function parseServeConfig(
  text: string,
  keys: ConfigKeys,
  mistakes: Mistakes,
): ServeConfig {
  const { file } = mistakes;
  const settings = new Map<string, ConfigSetting>();
  const exporters: ExporterEntry[] = [];
  const operators: OperatorEntry[] = [];
  const gadgets: GadgetEntry[] = [];
  const warnings: string[] = [];
  const context: ExporterContext = { keys: keys.exporter, mistakes, warnings };
  for (const document of splitDocuments(text)) {
    const root = parseYaml(document, file, { showsLine: false });
    mistakes.collect(() => {
      const children = mappingOf(root);
      const isForeign = children.some((child) => keyOf(child) === "kind");
      if (isForeign) {
        gadgets.push(readInstanceSpec(root, { keys: keys.gadget, mistakes, warnings }));
        return;
      }
      for (const child of children) {
        mistakes.collect(() => {
          switch (keyOf(child)) {
            case GADGETS:
              return gadgets.push(...readGadgets(child, { keys, mistakes }));
            case EXPORTERS:
              return exporters.push(...readExporters(child, context));
            case OPERATORS:
              return operators.push(...readOperators(child, mistakes));
            case OPERATOR:
              return exporters.push(...readForeignExporters(child, context));
            default:
              return readSetting(child, { keys, settings });
          }
        });
      }
    });
  }
  if (gadgets.length === 0 && mistakes.isEmpty) {
    mistakes.add(
      `Cannot use "${file}": there is no gadget in it`,
      "name some: gadgets: [trace_exec, trace_tcp]",
    );
  }
  for (const [name, { place }] of duplicates(gadgets)) {
    mistakes.add(`Duplicate name in ${place}: "${name}" names another gadget too`);
  }
  for (const [name, { place }] of duplicates(exporters)) {
    mistakes.add(`Duplicate name in ${place}: "${name}" names another exporter too`);
  }
  return { settings, exporters, operators, gadgets, warnings };
}

function mappingOf(root: YamlNode): YamlNode[] {
  if (typeof root.value === "string" && root.value !== "" || Array.isArray(root.value)) {
    throw new FormatError(`Wrong value in ${describeNode(root)}: expected a mapping`, {
      hint: "the file begins with listen:, gadgets: or another key",
    });
  }
  return readMapping(root);
}

function readSetting(
  node: YamlNode,
  { keys, settings }: { keys: ConfigKeys; settings: Map<string, ConfigSetting> },
): void {
  const key = keyOf(node);
  if (!keys.settings.includes(key)) {
    throw unknownKey(node, [...keys.settings, EXPORTERS, OPERATORS, GADGETS]);
  }
  if (settings.has(key)) {
    throw new FormatError(
      `Duplicate key in ${describeNode(node)}: another document has "${key}" too`,
    );
  }
  settings.set(key, { text: textOf(node), place: describeNode(node) });
}

function readGadgets(
  node: YamlNode,
  { keys, mistakes }: { keys: ConfigKeys; mistakes: Mistakes },
): GadgetEntry[] {
  return readItems(node).flatMap((item) => {
    const entry = mistakes.collect(() =>
      typeof item.value === "string"
        ? entryOf(item, { gadget: item, mistakes })
        : readEntry(item, { keys, mistakes })
    );
    return entry === undefined ? [] : [entry];
  });
}

function readEntry(
  item: YamlNode,
  { keys, mistakes }: { keys: ConfigKeys; mistakes: Mistakes },
): GadgetEntry {
  const children = readMapping(item);
  const child = (key: string) => children.find((node) => keyOf(node) === key);
  const flags: FlagNode[] = [];
  for (const node of children) {
    mistakes.collect(() => {
      const key = keyOf(node);
      if (key === "params") {
        flags.push(...readMapping(node).map((node) => ({ key: keyOf(node), node })));
      } else if (keys.gadget.includes(key)) flags.push({ key, node });
      else if (!ENTRY_KEYS.includes(key)) throw unknownKey(node, [...ENTRY_KEYS, ...keys.gadget]);
    });
  }
  const gadget = child("gadget");
  if (gadget === undefined) {
    throw new FormatError(`Missing key in ${describeNode(item)}: there is no "gadget"`, {
      hint: "gadget: trace_exec, or the path of a gadget's folder",
    });
  }
  return entryOf(item, { gadget, name: child("name"), flags, mistakes });
}

function unknownKey(node: YamlNode, known: readonly string[]): FormatError {
  const key = keyOf(node);
  return new FormatError(`Unknown key in ${describeNode(node)}: "${key}"`, {
    hint: suggestName(key, known, "keys here"),
  });
}

function duplicates<T extends { readonly name: string }>(entries: readonly T[]): [string, T][] {
  const names = new Set<string>();
  return entries.flatMap((entry): [string, T][] => {
    if (names.has(entry.name)) return [[entry.name, entry]];
    names.add(entry.name);
    return [];
  });
}
