/** Rows as JSON or YAML objects. */

// @ts-types="./_std_yaml.d.ts"
import { stringify } from "@std/yaml";
import {
  type Field,
  type FieldFormatter,
  type FieldKind,
  type FieldValue,
  readField,
  type RecordBytes,
} from "../decode/mod.ts";
import { bytesToHex, shortestFloat32 } from "../decode/mod.ts";
import { escapeControlsInJson, hasControls } from "../text/mod.ts";
import { isContainer, selectFields } from "./field_selection.ts";
import type { RowView } from "./row_view.ts";

export interface ObjectViewOptions {
  readonly fields: readonly Field[];
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  /** Text of `--fields`. */
  readonly selection?: string;
}

/** What JSON can say. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** An object that JSON can say. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/**
 * Renders rows as one JSON line each (`json`), indented JSON, or YAML documents after `---`.
 *
 * A fetch of a map or iterator is one line, value or document: the list of its rows.
 * Throws: UsageError for a bad `selection`.
 */
export function createObjectView(
  mode: "json" | "jsonpretty" | "yaml",
  options: ObjectViewOptions,
): RowView {
  const toObject = createRowObject(options);
  const render = renderer(mode);
  return {
    header: () => "",
    row: (record) => render(toObject(record)),
    rows: (records) => render(Array.from(records, toObject)),
  };
}

function renderer(mode: "json" | "jsonpretty" | "yaml"): (value: JsonValue) => string {
  switch (mode) {
    case "json":
      return (value) => `${escapeControlsInJson(JSON.stringify(value))}\n`;
    case "jsonpretty":
      return (value) => `${escapeControlsInJson(JSON.stringify(value, null, 2))}\n`;
    case "yaml":
      return (value) => `---\n${yamlText(value)}`;
  }
}

/** Where YAML would show a control character as it is, JSON stands in: YAML 1.2 contains it. */
function yamlText(value: JsonValue): string {
  const yaml = stringify(value, { lineWidth: -1 });
  return hasControls(yaml) ? `${escapeControlsInJson(JSON.stringify(value, null, 2))}\n` : yaml;
}

/** Function from a record to its object: members nest by the dots of their names, in field order. */
export function createRowObject(options: ObjectViewOptions): (record: RecordBytes) => JsonObject {
  const { fields } = options;
  const shown = selectFields({
    ...options,
    isDefault: (field) =>
      !isContainer(field, fields) && field.annotations["json.skip"] !== "true" &&
      !isDetailOfText(field, fields),
    expands: () => true,
  });
  const members = buildTree(shown, options.formatters);
  return (record) => fill(members, record);
}

/** Inside a container whose bytes another field shows as text: `src.addr_raw.v4` beside `src.addr`. */
function isDetailOfText(field: Field, fields: readonly Field[]): boolean {
  const container = fields.find(({ name }) => name === field.parent);
  if (container === undefined) return false;
  const hasText = fields.some((other) =>
    other.format !== undefined && other.name !== container.name &&
    other.parent === container.parent && other.segment === container.segment &&
    other.offsetBytes === container.offsetBytes && other.sizeBytes === container.sizeBytes
  );
  return hasText || isDetailOfText(container, fields);
}

interface Member {
  readonly key: string;
  /** Value of a leaf; absent for an object. */
  readonly read?: (record: RecordBytes) => JsonValue;
  readonly members: Member[];
}

function buildTree(
  shown: readonly Field[],
  formatters: ReadonlyMap<Field, FieldFormatter>,
): Member[] {
  const root: Member[] = [];
  for (const field of shown) {
    const path = field.name.split(".");
    const leaf = path.pop() ?? "";
    let level = root;
    for (const key of path) {
      let member = level.find((known) => known.key === key);
      if (member === undefined) level.push(member = { key, members: [] });
      level = member.members;
    }
    level.push({ key: leaf, read: leafReader(field, formatters.get(field)), members: [] });
  }
  return root;
}

function leafReader(field: Field, formatter?: FieldFormatter): (record: RecordBytes) => JsonValue {
  if (formatter !== undefined) return formatter;
  return (record) => toJson(readField(field, record), field.kind);
}

/** Without a prototype, since a C member may be named `__proto__` or `constructor`. */
function fill(members: readonly Member[], record: RecordBytes): JsonObject {
  const object: JsonObject = Object.create(null);
  for (const { key, read, members: inner } of members) {
    object[key] = read === undefined ? fill(inner, record) : read(record);
  }
  return object;
}

const LARGEST_EXACT = 2n ** 53n;

function toJson(value: FieldValue, kind: FieldKind): JsonValue {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return null;
    return kind === "float32" ? shortestFloat32(value) : value;
  }
  if (typeof value === "bigint") {
    return value > LARGEST_EXACT || value < -LARGEST_EXACT ? String(value) : Number(value);
  }
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (value instanceof Uint8Array) return bytesToHex(value);
  return value.map((element) => toJson(element, kind));
}
