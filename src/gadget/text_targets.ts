/** Annotations that name or shape the text of a field: `formatters.errno.target`, `ebpf.formatter.enum`... */

import { type Field, splitTextField, type TextFormat } from "../decode/mod.ts";
import { type AnnotationEntry, placeError } from "./annotation_entry.ts";

/** Which formats a target annotation speaks of. */
const FORMATS_OF_TARGET: ReadonlyMap<string, readonly TextFormat["type"][]> = new Map<
  string,
  readonly TextFormat["type"][]
>([
  ["formatters.timestamp.target", ["timestamp"]],
  ["formatters.errno.target", ["errno"]],
  ["formatters.signal.target", ["signal"]],
  ["formatters.syscall.target", ["syscall"]],
  ["formatters.bytes.target", ["bytes"]],
  ["formatters.duration.target", ["duration"]],
  ["formatters.file_mode.target", ["file_mode"]],
  ["formatters.filemode.target", ["file_mode"]],
  ["formatters.file_flags.target", ["file_flags"]],
  ["formatters.fileflags.target", ["file_flags"]],
  ["formatters.l3endpoint.target", ["ip_addr"]],
  ["formatters.l4endpoint.target", ["l4_endpoint"]],
  ["ebpf.formatter.enum", ["enum"]],
  ["ebpf.formatter.kstack", ["kernel_stack"]],
  ["uidgidresolver.target", ["uid", "gid"]],
]);

/**
 * Fields after one annotation of `field`: its text renamed or split off, or its format changed.
 * Other annotations leave the fields as they are.
 *
 * Throws: FormatError or UsageError if another field has the target's name.
 */
export function applyTextAnnotation(
  fields: readonly Field[],
  on: { readonly field: Field; readonly entry: AnnotationEntry; readonly warnings: string[] },
): readonly Field[] {
  const { entry } = on;
  if (entry.key === "formatters.timestamp.format") {
    return reformat(
      fields,
      on,
      (format) => format.type === "timestamp" ? { ...format, layout: entry.value } : undefined,
    );
  }
  if (entry.key === "ebpf.formatter.bitfield.separator") {
    return reformat(
      fields,
      on,
      (format) => format.type === "enum" ? { ...format, separator: entry.value } : undefined,
    );
  }
  const formats = FORMATS_OF_TARGET.get(entry.key);
  if (formats === undefined || entry.value === "") return fields;
  return retarget(fields, { ...on, formats });
}

function retarget(
  fields: readonly Field[],
  on: {
    field: Field;
    entry: AnnotationEntry;
    warnings: string[];
    formats: readonly TextFormat["type"][];
  },
): readonly Field[] {
  const { field, entry } = on;
  const text = textOf(fields, field);
  if (text?.format === undefined || !on.formats.includes(text.format.type)) {
    on.warnings.push(
      `${entry.place.describe()}: the C type of field "${field.name}" has no such text; ignored`,
    );
    return fields;
  }
  const target = field.parent === "" ? entry.value : `${field.parent}.${entry.value}`;
  if (target === text.name) return fields;
  if (fields.some(({ name }) => name === target)) {
    throw placeError(entry.place, {
      message: `Cannot name the text of field "${field.name}" in ${entry.place.describe()}: ` +
        `there is a field "${target}" already`,
      hint: "choose another name",
    });
  }
  const replaced = text === field ? splitTextField(text, target) : [{ ...text, name: target }];
  return fields.flatMap((other) => other === text ? replaced : [other]);
}

function reformat(
  fields: readonly Field[],
  on: { field: Field; entry: AnnotationEntry; warnings: string[] },
  change: (format: TextFormat) => TextFormat | undefined,
): readonly Field[] {
  const text = textOf(fields, on.field);
  const format = text?.format && change(text.format);
  if (format !== undefined) {
    return fields.map((other) => other === text ? { ...other, format } : other);
  }
  on.warnings.push(
    `${on.entry.place.describe()}: the C type of field "${on.field.name}" has no such text; ignored`,
  );
  return fields;
}

/** The field itself if it is shown as text, else the text field over the same bytes. */
function textOf(fields: readonly Field[], field: Field): Field | undefined {
  if (field.format !== undefined) return field;
  return fields.find((other) =>
    other.format !== undefined && other.parent === field.parent &&
    other.segment === field.segment && other.offsetBytes === field.offsetBytes &&
    other.sizeBytes === field.sizeBytes && other.bitOffset === field.bitOffset
  );
}
