/** Fields by the names that people type. */

// @ts-types="./_std_closest_string.d.ts"
import { closestString } from "@std/text/closest-string";
import type { Field } from "./field.ts";

/** Last part of a full name; `columns.alias` wins. */
export function leafName(field: Field): string {
  return field.annotations["columns.alias"] ?? field.name.slice(field.name.lastIndexOf(".") + 1);
}

/**
 * The fields that a name may mean: the one of this full name, else of this name in any case, else all
 * with this last part or alias.
 */
export function fieldsNamed(name: string, fields: readonly Field[]): readonly Field[] {
  const lower = name.toLowerCase();
  const found = fields.find((field) => field.name === name) ??
    fields.find((field) => field.name.toLowerCase() === lower);
  if (found !== undefined) return [found];
  return fields.filter((field) => leafName(field).toLowerCase() === lower);
}

/** The name that a misspelt one probably meant, full or by its last part: `proc.pid` for `pidd`. */
export function closestName(name: string, names: readonly string[]): string {
  const lastPart = (full: string) => full.slice(full.lastIndexOf(".") + 1);
  const closest = closestString(name, [...names, ...names.map(lastPart)]);
  return names.includes(closest)
    ? closest
    : names.find((full) => lastPart(full) === closest) ?? closest;
}
