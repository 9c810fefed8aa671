/** One gadget of a file: keys become a command line. */

import { FormatError } from "../errors.ts";
import {
  describeNode,
  keyOf,
  readItems,
  readMapping,
  readText,
  type YamlNode,
} from "../gadget/mod.ts";
import type { Mistakes } from "./mistakes.ts";

/** One gadget to run. */
export interface GadgetEntry {
  /** What tells it from others: unique in the file. */
  readonly name: string;
  /** Where a reader finds the name's mistake. */
  readonly place: string;
  /** Built-in name, or a path as it is written: relative to the folder of the file. */
  readonly gadget: string;
  /** Its flags as a command line: `--filter=uid==0`. */
  readonly args: readonly string[];
  /** Where the key of a flag stands. */
  readonly places: ReadonlyMap<string, string>;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** What {@linkcode isGadgetName} wants, for hints. */
export const NAME_RULE = "letters, digits, dots, dashes and underscores";

/** A name is a label, a column and an argument. */
export function isGadgetName(text: string): boolean {
  return NAME.test(text);
}

/** A flag that stands in the file. */
export interface FlagNode {
  readonly key: string;
  readonly node: YamlNode;
}

/** Makes an entry of its parts. */
export function entryOf(
  item: YamlNode,
  parts: {
    readonly gadget: YamlNode;
    readonly name?: YamlNode;
    readonly flags?: readonly FlagNode[];
    readonly mistakes: Mistakes;
  },
): GadgetEntry {
  const gadget = textOf(parts.gadget);
  const name = parts.name === undefined ? lastPart(gadget) : textOf(parts.name);
  if (!isGadgetName(name)) {
    throw new FormatError(
      `Wrong value in ${describeNode(parts.name ?? item)}: "${name}" is no name`,
      { hint: `${NAME_RULE}: name: my_gadget` },
    );
  }
  const args: string[] = [];
  const places = new Map<string, string>();
  for (const { key, node } of parts.flags ?? []) {
    places.set(key, describeNode(node));
    parts.mistakes.collect(() => args.push(...flagTexts(node).map((text) => `--${key}=${text}`)));
  }
  return { name, place: describeNode(item), gadget, args, places };
}

/** A scalar stands for itself, a list is joined by commas; annotations may be a mapping: `exec.uid:metrics.type: key`. */
function flagTexts(node: YamlNode): string[] {
  if (Array.isArray(node.value)) return [readItems(node).map(textOf).join(",")];
  if (keyOf(node) !== "annotate" || typeof node.value === "string") return [textOf(node)];
  return readMapping(node).map((child) =>
    `${keyOf(child)}=${readText(child).replaceAll(/[\\,]/g, "\\$&")}`
  );
}

/** Text of a key that must have some. */
export function textOf(node: YamlNode): string {
  const text = readText(node);
  if (text !== "") return text;
  throw new FormatError(`Missing value in ${describeNode(node)}: "${keyOf(node)}" is empty`, {
    hint: "give it a value, or leave the key out",
  });
}

function lastPart(gadget: string): string {
  return gadget.replace(/\/+$/, "").replace(/^.*\//, "").replace(/(\.bpf)?\.o$/, "");
}
