/** One exporter of a file, in kmeter's form or that of `ig`'s config. */

import { FormatError } from "../errors.ts";
import { describeNode, keyOf, readMapping, readText, type YamlNode } from "../gadget/mod.ts";
import { suggestName } from "../text/mod.ts";
import { textOf } from "./gadget_entry.ts";
import type { Mistakes } from "./mistakes.ts";

/** One setting as it is written. */
export interface ConfigSetting {
  readonly text: string;
  /** Where it stands: `kmeter.yaml:3 (listen)`. */
  readonly place: string;
}

/** One exporter; its values are not yet looked at. */
export interface ExporterEntry {
  readonly name: string;
  readonly place: string;
  readonly settings: ReadonlyMap<string, ConfigSetting>;
}

/** What is read into. */
export interface ExporterContext {
  /** Keys of an exporter. */
  readonly keys: readonly string[];
  readonly mistakes: Mistakes;
  readonly warnings: string[];
}

/** A name is an argument, and a label of kmeter's own metrics. */
const NAME = /^[A-Za-z0-9_-]+$/;
/** What a gadget names that no exporter pushes. */
export const NO_EXPORTER = "none";
/** Keys of `ig` that are called otherwise here; undefined: without effect. */
const FOREIGN_KEYS: ReadonlyMap<string, string | undefined> = new Map([
  ["collectIGMetrics", "collectKmeterMetrics"],
  ["collectGoMetrics", undefined],
]);

/** Reads `operator: {otel-metrics: {exporters: …}}`, the form of `ig`. */
export function readForeignExporters(node: YamlNode, context: ExporterContext): ExporterEntry[] {
  const only = (parent: YamlNode, key: string) =>
    readMapping(parent).flatMap((child) => {
      if (keyOf(child) === key) return [child];
      context.mistakes.add(
        `Unknown key in ${describeNode(child)}: "${keyOf(child)}"`,
        `of ig's config, kmeter knows operator.otel-metrics.exporters`,
      );
      return [];
    });
  return only(node, "otel-metrics").flatMap((child) => only(child, "exporters"))
    .flatMap((child) => readExporters(child, context));
}

/** Reads a mapping of names to exporters. */
export function readExporters(node: YamlNode, context: ExporterContext): ExporterEntry[] {
  return readMapping(node).flatMap((child) =>
    context.mistakes.collect(() => readExporter(child, context)) ?? []
  );
}

function readExporter(node: YamlNode, context: ExporterContext): ExporterEntry {
  const name = keyOf(node);
  if (!NAME.test(name) || name === NO_EXPORTER) {
    throw new FormatError(
      `Wrong key in ${describeNode(node)}: "${name}" cannot name an exporter`,
      { hint: `use letters, digits, dashes and underscores, and not ${NO_EXPORTER}` },
    );
  }
  const settings = new Map<string, ConfigSetting>();
  for (const child of readMapping(node)) {
    context.mistakes.collect(() => {
      const key = keyNameOf(child, context);
      if (key !== undefined) {
        settings.set(key, { text: settingText(child), place: describeNode(child) });
      }
    });
  }
  return { name, place: describeNode(node), settings };
}

/** What the key is called here; undefined if it has no effect. */
function keyNameOf(node: YamlNode, { keys, warnings }: ExporterContext): string | undefined {
  const key = keyOf(node);
  if (keys.includes(key)) return key;
  if (!FOREIGN_KEYS.has(key)) {
    throw new FormatError(`Unknown key in ${describeNode(node)}: "${key}"`, {
      hint: suggestName(key, keys, "keys of an exporter"),
    });
  }
  const known = FOREIGN_KEYS.get(key);
  if (known === undefined) warnings.push(`${describeNode(node)} has no effect in kmeter serve`);
  return known;
}

/** Headers may be a mapping: their values are meant as they are. */
function settingText(node: YamlNode): string {
  if (keyOf(node) !== "headers" || typeof node.value === "string") return textOf(node);
  return readMapping(node).map((child) => `${keyOf(child)}=${encodeURIComponent(readText(child))}`)
    .join(",");
}
