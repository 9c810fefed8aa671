/**
 * Finds the line of a key in YAML text. Deno std's parser gives no positions, so this reads the
 * indentation of block mappings: the form in which every `gadget.yaml` is written.
 */

/** A key at the start of a line: indentation, then a plain or quoted key, then a colon. */
const KEY_LINE =
  /^( *)(?:- +)?(?:"((?:[^"\\]|\\.)*)"\s*|'((?:[^']|'')*)'\s*|([^\s#"'{}[\]&*!|>%@`,][^#]*?)):(?:\s|$)/;

/** A line that is neither blank nor a comment. */
export interface YamlLine {
  /** Counts from 1. */
  readonly number: number;
  readonly indent: number;
  /** Absent if no key stands there. */
  readonly key?: string;
}

/** The lines of a text, in order. Cost: one pass, once for all keys that are looked for. */
export function indexYamlLines(text: string): YamlLine[] {
  return text.split(/\r?\n/).flatMap((content, index) => {
    const indent = content.search(/\S/);
    if (indent < 0 || content[indent] === "#") return [];
    const match = KEY_LINE.exec(content);
    const key = match === null ? undefined : match[2] ?? match[3] ?? match[4].trimEnd();
    return [{ number: index + 1, indent, key }];
  });
}

/**
 * Number of the line of the key that `path` leads to, or of its nearest ancestor that has a line of
 * its own (flow mappings stand on one line); `undefined` if not even the first key is found.
 */
export function findYamlLine(
  lines: readonly YamlLine[],
  path: readonly string[],
): number | undefined {
  let found: number | undefined;
  let first = 0;
  let parentIndent = -1;
  for (const key of path) {
    const next = findChildKey(lines, { key, first, parentIndent });
    if (next < 0) return found;
    found = lines[next].number;
    first = next + 1;
    parentIndent = lines[next].indent;
  }
  return found;
}

/** Index of the child's line; −1 if there is none. */
function findChildKey(
  lines: readonly YamlLine[],
  from: { key: string; first: number; parentIndent: number },
): number {
  let childIndent: number | undefined;
  for (let at = from.first; at < lines.length; at++) {
    const { indent, key } = lines[at];
    if (indent <= from.parentIndent) return -1;
    if (key === undefined) continue;
    childIndent ??= indent;
    if (indent === childIndent && key === from.key) return at;
  }
  return -1;
}
