/** Typed access to parsed YAML: every refusal names file, line and path. */

// @ts-types="./_std_yaml.d.ts"
import { parse } from "@std/yaml";
import { FormatError } from "../errors.ts";
import { findYamlLine, indexYamlLines, type YamlLine } from "./_yaml_lines.ts";

/** One value of a YAML file together with the way to it. Scalars are text, exactly as written. */
export interface YamlNode {
  readonly file: string;
  readonly lines: readonly YamlLine[];
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * Parses YAML so that scalars keep their spelling: `8`, `"8"` and `1.10` are text, an empty value is `null`.
 *
 * Throws: FormatError with file, line and column.
 */
export function parseYaml(
  text: string,
  file: string,
  { showsLine = true }: { showsLine?: boolean } = {},
): YamlNode {
  refuseTabs(text, file);
  const value = parseValue(text, file, showsLine);
  refuseAvalanche(value, file);
  return { file, lines: indexYamlLines(text), path: [], value };
}

function parseValue(text: string, file: string, showsLine: boolean): unknown {
  try {
    return parse(text, { schema: "failsafe" });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const match = /^([^]*?) at line (\d+), column (\d+):?([^]*)$/.exec(error.message);
    const message = match === null
      ? `Cannot read "${file}": not YAML: ${error.message}`
      : `Cannot read "${file}" line ${match[2]}, column ${match[3]}: not YAML: ${match[1]}${
        showsLine ? match[4].trimEnd() : ""
      }`;
    throw new FormatError(message, {
      cause: error,
      hint: "check indentation (spaces, no tabs), quotes and colons near that place",
    });
  }
}

/** No gadget needs so many; aliases of aliases make billions of a few lines. */
const VALUES_MAX = 100_000;

/** Counts values as often as aliases repeat them. */
function refuseAvalanche(root: unknown, file: string): void {
  let left = VALUES_MAX;
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null) continue;
    const children: unknown[] = Object.values(value);
    left -= children.length;
    if (left < 0) {
      throw new FormatError(`Cannot read "${file}": more than ${VALUES_MAX} values in it`, {
        hint: "aliases (*name) count each time: write out what is needed, and no more",
      });
    }
    for (const child of children) open.push(child);
  }
}

/** The parser takes a tab before a key for part of the line above, and so loses what is below it. */
function refuseTabs(text: string, file: string): void {
  const line = text.split("\n").findIndex((content) => /^ *\t\s*[^\s#]/.test(content));
  if (line < 0) return;
  const column = text.split("\n")[line].indexOf("\t") + 1;
  throw new FormatError(
    `Cannot read "${file}" line ${line + 1}, column ${column}: a tab indents it`,
    {
      hint: "YAML is indented by spaces",
    },
  );
}

/** Where a node stands, for messages: `gadget.yaml:7 (datasources.exec.fields)`. */
export function describeNode(node: YamlNode): string {
  const line = findYamlLine(node.lines, node.path);
  const place = line === undefined ? node.file : `${node.file}:${line}`;
  return node.path.length === 0 ? place : `${place} (${node.path.join(".")})`;
}

/** Children of a mapping in order; none for an empty section. Merge keys (`<<`) are expanded. */
export function readMapping(node: YamlNode): YamlNode[] {
  if (isEmptySection(node.value)) return [];
  if (!isMapping(node.value)) throw kindError(node, "a mapping");
  const children = new Map<string, YamlNode>();
  const inherited: YamlNode[] = [];
  for (const [key, value] of Object.entries(node.value)) {
    const child = { ...node, path: [...node.path, key], value };
    if (key === "<<") inherited.push(...mergedMappings(child));
    else children.set(key, child);
  }
  for (const child of inherited) {
    const key = child.path[child.path.length - 1];
    if (!children.has(key)) children.set(key, { ...child, path: [...node.path, key] });
  }
  return [...children.values()];
}

/** Text of a scalar; "" for an empty one. */
export function readText(node: YamlNode): string {
  if (node.value === null) return "";
  if (typeof node.value !== "string") throw kindError(node, "text");
  return node.value;
}

/** Elements of a sequence, with their index as the last part of the path; none for an empty section. */
export function readItems(node: YamlNode): YamlNode[] {
  if (isEmptySection(node.value)) return [];
  if (!Array.isArray(node.value)) throw kindError(node, "a list");
  return node.value.map((value: unknown, index) => ({
    ...node,
    path: [...node.path, String(index)],
    value,
  }));
}

/** Texts of a sequence; a single scalar counts as a sequence of one. */
export function readTextList(node: YamlNode): string[] {
  if (typeof node.value === "string" && !isEmptySection(node.value)) return [node.value];
  return readItems(node).map(readText);
}

/** Last part of the path: the node's key. */
export function keyOf(node: YamlNode): string {
  return node.path[node.path.length - 1] ?? "";
}

function mergedMappings(node: YamlNode): YamlNode[] {
  const sources: unknown[] = Array.isArray(node.value) ? node.value : [node.value];
  return sources.flatMap((value) => {
    // A merged mapping that merges itself would never end.
    if (!isMapping(value) || "<<" in value) throw kindError({ ...node, value }, "a plain mapping");
    return readMapping({ ...node, value });
  });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEmptySection(value: unknown): boolean {
  return value === null || value === "" || value === "~" || value === "null";
}

function kindError(node: YamlNode, wanted: string): FormatError {
  return new FormatError(
    `Wrong value in ${describeNode(node)}: expected ${wanted}, got ${kindOf(node.value)}`,
    { hint: hintFor(node, wanted) },
  );
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isMapping(value)) return `a mapping with ${JSON.stringify(Object.keys(value)[0] ?? "")}`;
  return `the text ${JSON.stringify(value)}`;
}

function hintFor(node: YamlNode, wanted: string): string {
  if (node.path.length === 0) {
    return 'the file begins with sections such as "name:" or "datasources:"';
  }
  if (wanted !== "text") return `write ${wanted} under "${keyOf(node)}:", or leave it empty`;
  if (Array.isArray(node.value)) return `write the items as one text: "${keyOf(node)}: 1,2,4"`;
  const inner = isMapping(node.value) ? Object.keys(node.value)[0] ?? "" : "";
  return `write "${keyOf(node)}.${inner}: ..." as one key, without nesting`;
}
