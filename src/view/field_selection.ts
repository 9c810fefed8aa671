/** Which fields are shown: the defaults of a view, changed by `--fields`. */

import { closestName, type Field, fieldsNamed } from "../decode/mod.ts";
import { UsageError } from "../errors.ts";

export interface SelectFieldsOptions {
  readonly fields: readonly Field[];
  /** Text of `--fields`: `a,b` names all, `+x,-y` changes the defaults; empty or absent for the defaults. */
  readonly selection?: string;
  /** Fields of the view without `--fields`. */
  isDefault(field: Field): boolean;
  /** Whether the name of this container (a field with members) stands for its members. */
  expands(container: Field): boolean;
}

/** True for fields that have members. */
export function isContainer(field: Field, fields: readonly Field[]): boolean {
  return fields.some(({ parent }) => parent === field.name);
}

/** Fields to show, in order. Throws: UsageError for an unknown or ambiguous name. */
export function selectFields(options: SelectFieldsOptions): Field[] {
  const defaults = options.fields.filter((field) => options.isDefault(field));
  const items = (options.selection ?? "").split(",").map((item) => item.trim()).filter(Boolean);
  if (items.length === 0) return defaults;
  const isRelative = items.map((item) => /^[+-]/.test(item));
  if (!isRelative.includes(true)) {
    return [...new Set(items.flatMap((name) => expand(findField(name, options.fields), options)))];
  }
  if (isRelative.includes(false)) {
    throw new UsageError(
      `Cannot use --fields "${options.selection}": it mixes names with +name or -name`,
      {
        hint: "name all fields (a,b), or change the defaults (+a,-b)",
      },
    );
  }
  const selected = new Set(defaults);
  for (const item of items) {
    const field = findField(item.slice(1), options.fields);
    if (item[0] === "+") {
      for (const added of expand(field, options)) selected.add(added);
    } else {
      for (const removed of [field, ...leaves(field, options)]) selected.delete(removed);
    }
  }
  return [...selected];
}

/** A container's name stands for those of its members that the view shows, else for all of them. */
function expand(field: Field, options: SelectFieldsOptions): Field[] {
  const all = leaves(field, options);
  const shown = all.filter((leaf) => options.isDefault(leaf));
  return shown.length > 0 ? shown : all;
}

function leaves(field: Field, options: SelectFieldsOptions): Field[] {
  const members = options.fields.filter(({ parent }) => parent === field.name);
  if (members.length === 0 || !options.expands(field)) return [field];
  return members.flatMap((member) => leaves(member, options));
}

/**
 * The field of this full name, else of this name in any case, else the only one with this last part.
 *
 * Throws: UsageError that suggests the nearest name.
 */
export function findField(name: string, fields: readonly Field[]): Field {
  const found = fieldsNamed(name, fields);
  if (found.length === 1) return found[0];
  const names = (found.length > 0 ? found : fields).map((field) => field.name);
  if (found.length > 1) {
    throw new UsageError(`Field "${name}" is ambiguous: it may be ${names.join(" or ")}`, {
      hint: "give the full name",
    });
  }
  throw new UsageError(`Unknown field "${name}"; the fields are ${names.join(", ") || "none"}`, {
    hint: names.length === 0 ? undefined : `did you mean "${closestName(name, names)}"?`,
  });
}
