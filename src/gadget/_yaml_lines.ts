/**
 * Finds the line of a key in YAML text. Deno std's parser gives no positions, so this reads the
 * indentation of block mappings: the form in which every `gadget.yaml` is written.
 */

/** A key at the start of a line: a plain or quoted key, then a colon. */
const KEY =
  /^(?:"((?:[^"\\]|\\.)*)"\s*|'((?:[^']|'')*)'\s*|([^\s#"'{}[\]&*!|>%@`,][^#]*?)):(?:\s|$)/;

/** What stands on a line that is neither blank nor a comment. */
export interface YamlLine {
  /** Counts from 1. */
  readonly number: number;
  readonly indent: number;
  /** Absent if no key stands there. */
  readonly key?: string;
  /** True for the dash of an item; what stands behind it follows as if on a line of its own. */
  readonly isItem?: true;
}

/** The lines of a text, in order. Cost: one pass, once for all keys that are looked for. */
export function indexYamlLines(text: string): YamlLine[] {
  return text.split(/\r?\n/).flatMap((content, index) => {
    const number = index + 1;
    const found: YamlLine[] = [];
    let indent = content.search(/\S/);
    if (indent < 0 || content[indent] === "#") return [];
    for (;;) {
      const dash = /^-(?: +|$)/.exec(content.slice(indent));
      if (dash === null) break;
      found.push({ number, indent, isItem: true });
      indent += dash[0].length;
    }
    const match = KEY.exec(content.slice(indent));
    const key = match === null ? undefined : match[1] ?? match[2] ?? match[3].trimEnd();
    return [...found, { number, indent, key }];
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
  let parent: YamlLine | undefined;
  for (const key of path) {
    const next = findChildKey(lines, { key, first, parent });
    if (next < 0) return found;
    parent = lines[next];
    found = parent.number;
    first = next + 1;
  }
  return found;
}

/** Index of the child's line; −1 if there is none. */
function findChildKey(
  lines: readonly YamlLine[],
  from: { key: string; first: number; parent: YamlLine | undefined },
): number {
  const parentIndent = from.parent?.indent ?? -1;
  // The items of a key may stand as far to the left as the key itself.
  const mayAlign = from.parent?.isItem !== true;
  let childIndent: number | undefined;
  let items = 0;
  for (let at = from.first; at < lines.length; at++) {
    const { indent, key, isItem } = lines[at];
    if (indent <= parentIndent && !(indent === parentIndent && isItem === true && mayAlign)) {
      return -1;
    }
    if (key === undefined && isItem !== true) continue;
    childIndent ??= indent;
    if (indent !== childIndent) continue;
    if (isItem === true ? from.key === String(items++) : key === from.key) return at;
  }
  return -1;
}
