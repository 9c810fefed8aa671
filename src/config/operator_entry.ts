/** One operator of a file. */

import { FormatError } from "../errors.ts";
import { describeNode, keyOf, readItems, readMapping, type YamlNode } from "../gadget/mod.ts";
import type { ConfigSetting } from "./exporter_entry.ts";
import { textOf } from "./gadget_entry.ts";
import type { Mistakes } from "./mistakes.ts";

/** An operator of the author's own. */
export interface OperatorEntry {
  /** Path of a module, or `exec:` and a command. */
  readonly text: string;
  readonly place: string;
  /** Its params; nobody knows yet whether it has them. */
  readonly params: ReadonlyMap<string, ConfigSetting>;
}

const OPERATOR = "operator";

/** Reads a list: of texts, or of mappings with the text as `operator` and params beside it. */
export function readOperators(node: YamlNode, mistakes: Mistakes): OperatorEntry[] {
  return readItems(node).flatMap((item) =>
    mistakes.collect(() => readOperator(item, mistakes)) ?? []
  );
}

function readOperator(item: YamlNode, mistakes: Mistakes): OperatorEntry {
  const place = describeNode(item);
  if (typeof item.value === "string") return { text: textOf(item), place, params: new Map() };
  const params = new Map<string, ConfigSetting>();
  let text: string | undefined;
  for (const child of readMapping(item)) {
    mistakes.collect(() => {
      const value = textOf(child);
      if (keyOf(child) === OPERATOR) text = value;
      else params.set(keyOf(child), { text: value, place: describeNode(child) });
    });
  }
  if (text !== undefined) return { text, place, params };
  throw new FormatError(`Missing key in ${place}: there is no "${OPERATOR}"`, {
    hint: `${OPERATOR}: ./my_operator.js, or exec: and a command`,
  });
}
