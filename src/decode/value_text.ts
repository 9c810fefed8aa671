/** Plain text of a value without a text format: metric labels, columns, lists. */

import type { FieldKind, FieldValue } from "./field.ts";

/**
 * Text of a value: integers in decimal, bytes in hex, elements joined by commas, strings as they are.
 *
 * With `kind` "float32" floats get the fewest digits that name the same single; otherwise the same double.
 */
export function valueToText(value: FieldValue, kind?: FieldKind): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberToText(value, kind);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Uint8Array) return bytesToHex(value);
  return value.map((element) => valueToText(element, kind)).join(",");
}

function numberToText(value: number, kind: FieldKind | undefined): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(kind === "float32" ? shortestFloat32(value) : value);
}

/** The double with the fewest digits that rounds to this single: 0.1 for 0.10000000149011612. */
export function shortestFloat32(value: number): number {
  if (Number.isInteger(value) || !Number.isFinite(value)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Two lower-case hex digits per byte. */
export function bytesToHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}
