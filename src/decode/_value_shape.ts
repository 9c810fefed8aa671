/** C type → kind, element count and size of a field. */

import type { Btf, BtfType, ResolvedType, TypeId } from "../btf/mod.ts";
import { UnsupportedError } from "../errors.ts";
import type { Field, FieldKind, IntegerKind } from "./field.ts";

/** A type below its typedefs, arrays and qualifiers. */
export interface Peeled {
  readonly id: TypeId;
  readonly type: ResolvedType["type"];
  /** Every name met, outermost first. */
  readonly names: readonly string[];
  /** Lengths, outermost first; empty if no array. */
  readonly lengths: readonly number[];
}

/** More dimensions than any C code has; bounds the walk through looping arrays. */
const DIMENSIONS_MAX = 32;

/** Peels typedefs, arrays and qualifiers. Throws: FormatError for loops. */
export function peel(btf: Btf, id: TypeId): Peeled {
  const names: string[] = [];
  const lengths: number[] = [];
  let current = id;
  while (lengths.length <= DIMENSIONS_MAX) {
    const resolved = btf.resolve(current);
    names.push(...resolved.names);
    if (resolved.type.kind !== "array") {
      return { id: resolved.id, type: resolved.type, names, lengths };
    }
    lengths.push(resolved.type.length);
    current = resolved.type.element;
  }
  throw btf.error(id, `arrays do not end after ${DIMENSIONS_MAX} dimensions`);
}

/** Where and how wide the value of a field is; parts of `Field`. */
export type ValueShape = Pick<
  Field,
  "kind" | "arrayLength" | "offsetBytes" | "sizeBytes" | "bitOffset" | "bitSize"
>;

/** Shape of a value that is not a bitfield. `sizeBytes` is the size of the whole type. */
export function wholeShape(
  peeled: Peeled,
  at: { offsetBytes: number; sizeBytes: number },
): ValueShape {
  const place = { ...at, bitOffset: 0, bitSize: 0 };
  const kind = elementKind(peeled.type);
  if (peeled.lengths.length === 0) return { kind, arrayLength: 0, ...place };
  if (isChar(peeled)) {
    // Several strings in a row have no kind of their own.
    return { kind: peeled.lengths.length === 1 ? "cstring" : "bytes", arrayLength: 0, ...place };
  }
  if (kind === "bytes") return { kind, arrayLength: 0, ...place };
  return { kind, arrayLength: peeled.lengths.reduce((a, b) => a * b, 1), ...place };
}

function isChar(peeled: Peeled): boolean {
  return peeled.type.kind === "int" && peeled.type.sizeBytes === 1 &&
    (peeled.type.encoding === "char" || peeled.names.includes("char"));
}

function elementKind(type: BtfType): FieldKind {
  switch (type.kind) {
    case "int":
      if (type.encoding === "bool" && type.sizeBytes === 1) return "bool";
      return integerKind(type.sizeBytes, type.encoding === "signed") ?? "bytes";
    case "enum":
      return integerKind(type.sizeBytes, type.signed) ?? "bytes";
    case "ptr":
      return "uint64";
    case "float":
      return type.sizeBytes === 4 ? "float32" : type.sizeBytes === 8 ? "float64" : "bytes";
    default:
      return "bytes";
  }
}

function integerKind(sizeBytes: number, signed: boolean): IntegerKind | undefined {
  switch (sizeBytes) {
    case 1:
      return signed ? "int8" : "uint8";
    case 2:
      return signed ? "int16" : "uint16";
    case 4:
      return signed ? "int32" : "uint32";
    case 8:
      return signed ? "int64" : "uint64";
    case 16:
      return signed ? "int128" : "uint128";
    default:
      return undefined;
  }
}

/** Place of a bitfield, in bits from the start of the record. */
export interface BitPlace {
  readonly offsetBits: number;
  readonly bitSize: number;
}

/**
 * Place of a member (`bitSize` 0 if it does not say) if it is a bitfield. Compilers before clang 8
 * say it in the integer type, later ones in the member.
 */
export function bitPlace(peeled: Peeled, member: BitPlace): BitPlace | undefined {
  if (member.bitSize > 0) return member;
  const { type, lengths } = peeled;
  if (type.kind !== "int" || lengths.length > 0 || type.bits === type.sizeBytes * 8) {
    return undefined;
  }
  return { offsetBits: member.offsetBits + type.bitOffset, bitSize: type.bits };
}

/**
 * Shape of a bitfield: the smallest storage unit of 1, 2, 4 or 8 bytes that holds it and lies
 * within the record. Values of at most 32 bits get a kind of at most 32 bits, whatever C declares.
 *
 * Throws: UnsupportedError if there is no such unit (packed structs only).
 */
export function bitfieldShape(
  type: BtfType,
  place: BitPlace,
  at: { name: string; recordSizeBytes: number },
): ValueShape {
  const { offsetBits, bitSize } = place;
  const firstByte = Math.floor(offsetBits / 8);
  const neededBytes = Math.ceil((offsetBits + bitSize) / 8) - firstByte;
  const sizeBytes = [1, 2, 4, 8].find((size) => size >= neededBytes);
  if (sizeBytes === undefined || sizeBytes > at.recordSizeBytes) {
    throw new UnsupportedError(
      `Field ${
        JSON.stringify(at.name)
      }: bitfield of ${bitSize} bits at bit ${offsetBits} fits no ` +
        `unit of 1, 2, 4 or 8 bytes within ${at.recordSizeBytes} bytes`,
      { feature: "bitfields across 8 bytes", hint: "align the bitfield to its type" },
    );
  }
  const offsetBytes = Math.min(firstByte, at.recordSizeBytes - sizeBytes);
  return {
    kind: bitfieldKind(type, bitSize),
    arrayLength: 0,
    offsetBytes,
    sizeBytes,
    bitOffset: offsetBits - offsetBytes * 8,
    bitSize,
  };
}

function bitfieldKind(type: BtfType, bitSize: number): FieldKind {
  const kind = elementKind(type);
  if (kind === "bool") return bitSize === 1 ? "bool" : "uint8";
  const signed = kind.startsWith("int");
  if (bitSize > 32) return signed ? "int64" : "uint64";
  const isWide = kind.endsWith("64") || kind.endsWith("128");
  return isWide ? (signed ? "int32" : "uint32") : kind;
}
