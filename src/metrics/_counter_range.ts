/** Totals that start again from zero because their type has no more room. */

import { elementSizeBytes, type Field, isFloatKind, isSignedKind } from "../decode/mod.ts";

/**
 * Number of values of an unsigned total of at most 32 bits; undefined for totals that never get to
 * their end. Such a total that fell by more than half of the range has gone around, and what came is
 * the difference modulo the range; one that fell by less was reset.
 */
export function counterRange(field: Field): number | undefined {
  // Slots are counts, whatever their sign.
  const isUnsigned = field.arrayLength > 0 || !isSignedKind(field.kind);
  if (!isUnsigned || isFloatKind(field.kind) || field.kind === "bool") return undefined;
  const bits = field.bitSize > 0 ? field.bitSize : elementSizeBytes(field) * 8;
  return bits <= 32 ? 2 ** bits : undefined;
}
