/** Which fields beside it a field's text is made of. */

import type { Field } from "../decode/mod.ts";

/** Members that give an address or endpoint its text, by format. */
const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["ip_addr", ["version"]],
  ["l4_endpoint", ["addr_raw", "addr", "port", "version"]],
]);

/**
 * Fields outside a key's own bytes that its formatter reads: an address says nothing without the
 * version beside it, so the version is part of the key.
 */
export function textContext(key: Field, fields: readonly Field[]): Field[] {
  const members = key.format === undefined ? undefined : MEMBERS.get(key.format.type);
  if (members === undefined || fields.some(({ parent }) => parent === key.name)) return [];
  return fields.filter((field) =>
    field !== key && field.format === undefined && field.parent === key.parent &&
    members.includes(field.name.slice(field.name.lastIndexOf(".") + 1)) && !liesWithin(field, key)
  );
}

function liesWithin(inner: Field, outer: Field): boolean {
  return inner.segment === outer.segment && inner.offsetBytes >= outer.offsetBytes &&
    inner.offsetBytes + inner.sizeBytes <= outer.offsetBytes + outer.sizeBytes;
}
