/**
 * Text fields: which fields are shown as text, and under which name.
 *
 * A field whose C type has a text form carries a `format`; its bytes stay readable as a number.
 * Where the name says so, text and number become two fields over the same bytes:
 *
 * - `error_raw` → hidden number `error_raw` and text `error`;
 * - a `gadget_uid` or `gadget_gid` without `_raw` → number `uid` and hidden text `user`/`group`
 *   beside it;
 * - everything else (`errno`, an enum `state`) stays one field: shown as text, counted, compared
 *   and filtered as a number too.
 *
 * Two fields never share a name: if the text's name is taken, the field stays one.
 */

import type { BtfType } from "../btf/mod.ts";
import type { Field, TextFormat } from "./field.ts";

const RAW_SUFFIX = "_raw";

type PlainFormat = Exclude<TextFormat["type"], "enum" | "timestamp">;

const FORMAT_OF_SCALAR: ReadonlyMap<string, PlainFormat | "timestamp"> = new Map<
  string,
  PlainFormat | "timestamp"
>([
  ["gadget_timestamp", "timestamp"],
  ["gadget_errno", "errno"],
  ["gadget_signal", "signal"],
  ["gadget_syscall", "syscall"],
  ["gadget_uid", "uid"],
  ["gadget_gid", "gid"],
  ["gadget_bytes", "bytes"],
  ["gadget_duration", "duration"],
  ["gadget_file_mode", "file_mode"],
  ["gadget_file_flags", "file_flags"],
  ["gadget_kernel_stack", "kernel_stack"],
]);

const FORMAT_OF_CONTAINER: ReadonlyMap<string, PlainFormat> = new Map<string, PlainFormat>([
  ["gadget_ip_addr_t", "ip_addr"],
  ["gadget_l3endpoint_t", "ip_addr"],
  ["gadget_l4endpoint_t", "l4_endpoint"],
]);

/** Text form of a scalar, from the names of its C type. */
export function scalarFormat(
  typeNames: readonly string[],
  type: BtfType,
): TextFormat | undefined {
  for (const name of typeNames) {
    const format = FORMAT_OF_SCALAR.get(name);
    if (format !== undefined) return { type: format };
  }
  if (type.kind !== "enum") return undefined;
  return {
    type: "enum",
    enumerators: type.enumerators,
    isSet: typeNames.some((name) => name.endsWith("_set")),
    separator: "|",
  };
}

/** Text form of a struct or union as a whole, from the names of its C type. */
export function containerFormat(typeNames: readonly string[]): TextFormat | undefined {
  for (const name of typeNames) {
    const format = FORMAT_OF_CONTAINER.get(name);
    if (format !== undefined) return { type: format };
  }
  return undefined;
}

/** Full name of the text field of `field`; undefined if the field itself is shown as text. */
export function textFieldName(
  field: Pick<Field, "name" | "parent">,
  format: TextFormat,
): string | undefined {
  const prefix = field.parent === "" ? "" : `${field.parent}.`;
  const leaf = field.name.slice(prefix.length);
  if (leaf.endsWith(RAW_SUFFIX) && leaf.length > RAW_SUFFIX.length) {
    return prefix + leaf.slice(0, -RAW_SUFFIX.length);
  }
  if (format.type === "uid") return `${prefix}user`;
  if (format.type === "gid") return `${prefix}group`;
  return undefined;
}

/**
 * Splits a field that carries a format into its number and a text field of the given full name.
 * A `user` beside a `uid` is extra and hidden; in every other pair the number is hidden. Tags of C
 * types stay with the number: what counts by them must not count twice.
 */
export function splitTextField(
  field: Field,
  textName: string,
): readonly [raw: Field, text: Field] {
  const { format, ...plain } = field;
  if (format === undefined) throw new Error(`BUG: field ${field.name} has no format to split off`);
  const isAccount = format.type === "uid" || format.type === "gid";
  const annotations: Record<string, string> = { ...field.annotations };
  if (isAccount) {
    annotations["columns.alignment"] = "left";
    annotations.description = format.type === "uid" ? "User name" : "Group name";
  }
  if (annotations["columns.alias"] !== undefined) {
    annotations["columns.alias"] = textName.slice(textName.lastIndexOf(".") + 1);
  }
  const tags = field.tags.filter((tag) => !tag.startsWith("type:"));
  const text = { ...field, name: textName, tags, annotations };
  return isAccount && !field.name.endsWith(RAW_SUFFIX)
    ? [plain, hideField(text)]
    : [hideField(plain), text];
}

/** The same field, left out of columns unless asked for. */
export function hideField(field: Field): Field {
  return {
    ...field,
    annotations: { ...field.annotations, "columns.hidden": "true" },
    hidden: true,
  };
}

/** Gives every field whose name asks for it its text field, right after it. */
export function addTextFields(fields: readonly Field[]): Field[] {
  const taken = new Set(fields.map((field) => field.name));
  return fields.flatMap((field) => {
    const name = field.format && textFieldName(field, field.format);
    if (name === undefined || taken.has(name)) return [field];
    taken.add(name);
    return splitTextField(field, name);
  });
}
