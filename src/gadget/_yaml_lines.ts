/**
 * Finds the line of a key in YAML text. Deno std's parser gives no positions, so this reads the
 * indentation of block mappings: the form in which every `gadget.yaml` is written.
 */

/** A key at the start of a line: indentation, then a plain or quoted key, then a colon. */
const KEY_LINE =
  /^( *)(?:- +)?(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#"'{}[\]&*!|>%@`,][^#]*?))\s*:(?:\s|$)/;

/**
 * 1-based line of the key that `path` leads to, or of its nearest ancestor that has a line of its
 * own (flow mappings stand on one line); `undefined` if not even the first key is found.
 */
export function findYamlLine(text: string, path: readonly string[]): number | undefined {
  const lines = text.split(/\r?\n/);
  let found: number | undefined;
  let firstLine = 0;
  let parentIndent = -1;
  for (const key of path) {
    const next = findChildKey(lines, { key, firstLine, parentIndent });
    if (next === undefined) return found;
    found = next.line + 1;
    firstLine = next.line + 1;
    parentIndent = next.indent;
  }
  return found;
}

function findChildKey(
  lines: readonly string[],
  from: { key: string; firstLine: number; parentIndent: number },
): { line: number; indent: number } | undefined {
  let childIndent: number | undefined;
  for (let line = from.firstLine; line < lines.length; line++) {
    const text = lines[line];
    if (/^\s*(#.*)?$/.test(text)) continue;
    const indent = text.search(/\S/);
    if (indent <= from.parentIndent) return undefined;
    const match = KEY_LINE.exec(text);
    if (match === null) continue;
    childIndent ??= indent;
    const name = match[2] ?? match[3] ?? match[4];
    if (indent === childIndent && name === from.key) return { line, indent };
  }
  return undefined;
}
