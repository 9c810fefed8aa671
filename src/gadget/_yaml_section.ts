/** Sections of `gadget.yaml`: mappings whose keys are known in advance; as in `ig`, case does not count. */

import { FormatError } from "../errors.ts";
import { nearestName, suggestName } from "../text/mod.ts";
import { describeNode, keyOf, readMapping, type YamlNode } from "./_yaml_node.ts";

export type Section<K extends string> = ReadonlyMap<K, YamlNode>;

/** What to do with keys that nobody knows: refuse them with `hint`, or note them. */
export interface UnknownKeys {
  readonly warnings: string[];
  /** With a hint, every unknown key is an error; without, only one that is near a known key. */
  readonly hint?: string;
}

/** Children of a section under the known spelling of their keys. */
export function readSection<K extends string>(
  node: YamlNode,
  keys: readonly K[],
  unknown: UnknownKeys,
): Section<K> {
  const known = new Map(keys.map((key) => [key.toLowerCase(), key]));
  const section = new Map<K, YamlNode>();
  for (const [lowerCaseKey, child] of readDistinctKeys(node)) {
    const key = known.get(lowerCaseKey);
    if (key === undefined) reportUnknownKey(child, keys, unknown);
    else section.set(key, child);
  }
  return section;
}

function reportUnknownKey(node: YamlNode, keys: readonly string[], unknown: UnknownKeys): void {
  const key = keyOf(node);
  const message = `Unknown key in ${describeNode(node)}: "${key}"`;
  if (nearestName(key, keys) !== undefined) {
    throw new FormatError(message, { hint: suggestName(key, keys, "keys here") });
  }
  if (unknown.hint !== undefined) throw new FormatError(message, { hint: unknown.hint });
  unknown.warnings.push(`${describeNode(node)}: unknown key "${key}"; ignored`);
}

/** Children by lower-case key: as in `ig`, case does not count. */
export function readDistinctKeys(node: YamlNode | undefined): Map<string, YamlNode> {
  const children = new Map<string, YamlNode>();
  for (const child of mappingOf(node)) {
    const key = keyOf(child).toLowerCase();
    const other = children.get(key);
    if (other !== undefined) {
      throw new FormatError(
        `Duplicate key in ${describeNode(child)}: "${keyOf(child)}" and "${
          keyOf(other)
        }" differ only in case`,
        { hint: "keep one of them: case does not count" },
      );
    }
    children.set(key, child);
  }
  return children;
}

/** Children of a mapping that may be absent. */
export function mappingOf(node: YamlNode | undefined): YamlNode[] {
  return node === undefined ? [] : readMapping(node);
}
