/**
 * Reading one field of one record: the specification that generated code mirrors case by case.
 *
 * *Key words* are the canonical bytes of a field as zero-padded little-endian 32-bit words: equal
 * values have equal words, whatever lies behind a string's NUL or in the other bits of a byte.
 * (Arrays of bool are taken as they are: compilers store 0 and 1.)
 */

import type { Field, FieldKind, FieldValue, RecordBytes } from "./field.ts";

type Scalar = number | bigint | boolean | string;
type ElementKind = Exclude<FieldKind, "cstring" | "bytes">;

/** Where a field lies in a record. */
interface Place {
  readonly view: DataView;
  readonly offset: number;
}

function placeOf(field: Field, record: RecordBytes): Place {
  const { segments, offsets } = record;
  const view = field.segment === 0 ? segments[0] : segments.length === 2 ? segments[1] : undefined;
  if (view === undefined) throw new Error(`BUG: ${field.name} is in segment 1 of a record of one`);
  return { view, offset: offsets[field.segment] + field.offsetBytes };
}

/**
 * Reads a field as its declared value: number up to 32 bits and for floats, bigint for 64 bits,
 * boolean (any set bit is true), `0x` and 32 hex digits for 128 bits, text up to the first NUL with
 * U+FFFD for what is no UTF-8, a copy of `bytes`, an array of arrays' elements.
 */
export function readField(field: Field, record: RecordBytes): FieldValue {
  const place = placeOf(field, record);
  if (field.kind === "cstring") return decodeText(stringBytes(field, place));
  if (field.kind === "bytes") return fieldBytes(field, place).slice();
  if (field.bitSize > 0) return bitsToValue(field.kind, readBits(field, place));
  if (field.arrayLength === 0) return readElement(field.kind, place);
  const { kind } = field;
  const stride = elementSizeBytes(kind);
  return Array.from(
    { length: field.arrayLength },
    (_, i) => readElement(kind, { view: place.view, offset: place.offset + i * stride }),
  );
}

/** Reads a scalar field as a double: booleans are 0 or 1, wide integers are rounded to the nearest. */
export function readNumber(field: Field, record: RecordBytes): number {
  const value = readField(field, record);
  if (is128(field.kind) && typeof value === "string") return Number(toBigInt(field.kind, value));
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return Number(value);
  }
  throw new Error(`BUG: field ${field.name} of kind ${field.kind} is no number`);
}

/** Reads a scalar integer or boolean field exactly. */
export function readInteger(field: Field, record: RecordBytes): bigint {
  const value = readField(field, record);
  if (is128(field.kind) && typeof value === "string") return toBigInt(field.kind, value);
  if (typeof value === "bigint" || typeof value === "boolean") return BigInt(value);
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw new Error(`BUG: field ${field.name} of kind ${field.kind} is no integer`);
}

function is128(kind: FieldKind): boolean {
  return kind === "int128" || kind === "uint128";
}

function toBigInt(kind: FieldKind, hex: string): bigint {
  return kind === "int128" ? BigInt.asIntN(128, BigInt(hex)) : BigInt(hex);
}

/** Number of key words of a field. */
export function keyWordCount(field: Field): number {
  if (field.bitSize > 0) return field.bitSize > 32 ? 2 : 1;
  return Math.ceil(field.sizeBytes / 4);
}

/** Reads the key words of a field; each is an unsigned 32-bit number. */
export function readKeyWords(field: Field, record: RecordBytes): number[] {
  const place = placeOf(field, record);
  const count = keyWordCount(field);
  if (field.bitSize > 0) return bitWords(readBits(field, place), count);
  const bytes = new Uint8Array(count * 4);
  bytes.set(field.kind === "cstring" ? stringBytes(field, place) : fieldBytes(field, place));
  if (field.kind === "bool" && field.arrayLength === 0) bytes[0] = bytes[0] === 0 ? 0 : 1;
  const words = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, i) => words.getUint32(i * 4, true));
}

/**
 * Makes what reads the value that `readField` gave when `words[offset…]` were read.
 * Ownership: a value that is bytes is lent, until the next call.
 */
export function keyWordsReader(
  field: Field,
): (words: ArrayLike<number>, offset: number) => FieldValue {
  const count = keyWordCount(field);
  const view = new DataView(new ArrayBuffer(count * 4));
  const isBitfield = field.bitSize > 0;
  const moved: Field = {
    ...field,
    segment: 0,
    offsetBytes: 0,
    bitOffset: 0,
    sizeBytes: isBitfield ? count * 4 : field.sizeBytes,
  };
  const record: RecordBytes = { segments: [view], offsets: [0, 0] };
  return (words, offset) => {
    for (let i = 0; i < count; i++) view.setUint32(i * 4, words[offset + i], true);
    return readField(moved, record);
  };
}

// A byte order mark is part of the text.
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/**
 * Text of bytes that a stranger chose. Bytes that are no UTF-8 show as `\\xff`, and a backslash beside
 * such bytes as two, so that different names stay different labels.
 */
function decodeText(bytes: Uint8Array): string {
  const text = tryDecode(bytes);
  if (text !== undefined) return text;
  let escaped = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at]);
    const character = tryDecode(bytes.subarray(at, at + length));
    if (character === undefined) escaped += `\\x${bytes[at].toString(16)}`;
    else escaped += character === "\\" ? "\\\\" : character;
    at += character === undefined ? 1 : length;
  }
  return escaped;
}

/** Bytes of the UTF-8 sequence that a byte begins. */
function sequenceLength(first: number): number {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

function tryDecode(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function fieldBytes(field: Field, place: Place): Uint8Array {
  const { view, offset } = place;
  return new Uint8Array(view.buffer, view.byteOffset + offset, field.sizeBytes);
}

/** Bytes before the first NUL. */
function stringBytes(field: Field, place: Place): Uint8Array {
  const bytes = fieldBytes(field, place);
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function readElement(kind: ElementKind, place: Place): Scalar {
  const { view, offset } = place;
  switch (kind) {
    case "bool":
      return view.getUint8(offset) !== 0;
    case "int8":
      return view.getInt8(offset);
    case "uint8":
      return view.getUint8(offset);
    case "int16":
      return view.getInt16(offset, true);
    case "uint16":
      return view.getUint16(offset, true);
    case "int32":
      return view.getInt32(offset, true);
    case "uint32":
      return view.getUint32(offset, true);
    case "int64":
      return view.getBigInt64(offset, true);
    case "uint64":
      return view.getBigUint64(offset, true);
    case "int128":
    case "uint128":
      return `0x${hex64(view, offset + 8)}${hex64(view, offset)}`;
    case "float32":
      return view.getFloat32(offset, true);
    case "float64":
      return view.getFloat64(offset, true);
  }
}

function hex64(view: DataView, offset: number): string {
  return view.getBigUint64(offset, true).toString(16).padStart(16, "0");
}

function elementSizeBytes(kind: ElementKind): number {
  switch (kind) {
    case "bool":
    case "int8":
    case "uint8":
      return 1;
    case "int16":
    case "uint16":
      return 2;
    case "int32":
    case "uint32":
    case "float32":
      return 4;
    case "int64":
    case "uint64":
    case "float64":
      return 8;
    case "int128":
    case "uint128":
      return 16;
  }
}

/** The bits of a bitfield, sign-extended if its kind is signed. */
function readBits(field: Field, place: Place): bigint {
  const bits = readUnit(field.sizeBytes, place) >> BigInt(field.bitOffset);
  return field.kind.startsWith("int")
    ? BigInt.asIntN(field.bitSize, bits)
    : BigInt.asUintN(field.bitSize, bits);
}

function readUnit(sizeBytes: number, place: Place): bigint {
  const { view, offset } = place;
  switch (sizeBytes) {
    case 1:
      return BigInt(view.getUint8(offset));
    case 2:
      return BigInt(view.getUint16(offset, true));
    case 4:
      return BigInt(view.getUint32(offset, true));
    case 8:
      return view.getBigUint64(offset, true);
    default:
      throw new Error(`BUG: bitfield storage unit of ${sizeBytes} bytes`);
  }
}

function bitsToValue(kind: ElementKind, bits: bigint): number | bigint | boolean {
  if (kind === "bool") return bits !== 0n;
  return kind === "int64" || kind === "uint64" ? bits : Number(bits);
}

function bitWords(bits: bigint, count: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => Number(BigInt.asUintN(32, bits >> BigInt(32 * i))),
  );
}
