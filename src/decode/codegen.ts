/**
 * Emits JavaScript that reads fields, case by case as `interpret.ts` reads them.
 *
 * What is emitted holds only numbers and names made here; the sole foreign text are field names in
 * comments, which pass `commentName`. Values that the plan carries enter as arguments.
 */

import type { Field, IntegerKind } from "./field.ts";
import { keyWordCount } from "./interpret.ts";

/** Where a segment lies in the generated code: a `DataView` variable and a byte offset variable. */
export interface SegmentVariables {
  readonly view: string;
  readonly base: string;
}

/** Collects indented lines. */
export class CodeWriter {
  readonly #lines: string[] = [];
  #depth = 0;

  line(text: string): this {
    this.#lines.push("  ".repeat(this.#depth) + text);
    return this;
  }

  /** Emits `head {`, the body one level deeper, and `}` followed by `tail`. */
  block(head: string, body: () => void, tail = ""): this {
    this.line(`${head} {`);
    this.#depth++;
    body();
    this.#depth--;
    return this.line(`}${tail}`);
  }

  toString(): string {
    return this.#lines.join("\n") + "\n";
  }
}

/** A field's name if it is a dotted C identifier, else a placeholder: BTF may name things anything. */
export function commentName(field: Field): string {
  return /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(field.name)
    ? field.name
    : `field at byte ${field.offsetBytes}`;
}

/** Byte offset expression. */
function at(segment: SegmentVariables, offsetBytes: number): string {
  return offsetBytes === 0 ? segment.base : `${segment.base} + ${offsetBytes}`;
}

/** Expression of the unsigned little-endian integer of 1, 2 or 4 bytes at an offset. */
export function emitUint(
  segment: SegmentVariables,
  offsetBytes: number,
  sizeBytes: number,
): string {
  const where = at(segment, offsetBytes);
  return sizeBytes === 1
    ? `${segment.view}.getUint8(${where})`
    : `${segment.view}.getUint${sizeBytes * 8}(${where}, true)`;
}

/** Expression of the little-endian word at an offset, as int32: what keys are compared by. */
export function emitWord(segment: SegmentVariables, offsetBytes: number): string {
  return `${segment.view}.getInt32(${at(segment, offsetBytes)}, true)`;
}

/** True for bool, integers up to 64 bits and floats. */
export function isNumericKind(kind: Field["kind"]): boolean {
  return kind !== "cstring" && kind !== "bytes" && kind !== "int128" && kind !== "uint128";
}

/** True for kinds whose values may be negative. */
export function isSignedKind(kind: Field["kind"]): boolean {
  return kind === "int8" || kind === "int16" || kind === "int32" || kind === "int64";
}

/** True for kinds that are read as doubles. */
export function isFloatKind(kind: Field["kind"]): boolean {
  return kind === "float32" || kind === "float64";
}

const SIZES: Readonly<Record<IntegerKind, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  int128: 16,
  uint128: 16,
};

/** Size in bytes of one element of a numeric field. */
export function elementSizeBytes(field: Field): number {
  switch (field.kind) {
    case "bool":
      return field.arrayLength === 0 ? field.sizeBytes : 1;
    case "float32":
      return 4;
    case "float64":
      return 8;
    case "cstring":
    case "bytes":
      return field.sizeBytes;
    default:
      return SIZES[field.kind];
  }
}

/** A 64-bit integer as two expressions: unsigned low word, and high word (sign extended). */
export interface WordPair {
  readonly low: string;
  /** int32 if the field is signed, else uint32. */
  readonly high: string;
}

/** Expressions of an integer field's two words; the field must be numeric and no float. */
export function emitWordPair(field: Field, segment: SegmentVariables): WordPair {
  if (field.bitSize > 32) return emitWideBitfieldPair(field, segment);
  if (field.bitSize === 0 && elementSizeBytes(field) === 8 && field.kind !== "bool") {
    return {
      low: emitUint(segment, field.offsetBytes, 4),
      high: `${segment.view}.get${isSignedKind(field.kind) ? "Int" : "Uint"}32(${
        at(segment, field.offsetBytes + 4)
      }, true)`,
    };
  }
  const value = emitNumber(field, segment);
  return isSignedKind(field.kind)
    ? { low: `(${value} >>> 0)`, high: `(${value} >> 31)` }
    : { low: value, high: "0" };
}

/**
 * Expression of a scalar integer field as a BigInt, exact modulo 2^64: what a 64-bit cell takes. Of
 * signed fields of 64 bits it is two's complement. Optimized code keeps it in a register.
 */
export function emitBigInt(field: Field, segment: SegmentVariables): string {
  if (field.bitSize > 32) return emitWideBitfield(field, segment);
  if (field.bitSize === 0 && elementSizeBytes(field) === 8 && field.kind !== "bool") {
    return `${segment.view}.getBigUint64(${at(segment, field.offsetBytes)}, true)`;
  }
  return `BigInt(${emitNumber(field, segment)})`;
}

/** Expression of a scalar numeric field as a double: exact to 2^53, else the nearest. */
export function emitNumber(field: Field, segment: SegmentVariables): string {
  if (field.bitSize > 0) return emitBitfield(field, segment);
  const where = at(segment, field.offsetBytes);
  const { view } = segment;
  switch (field.kind) {
    case "bool":
      return `(${
        emitUint(segment, field.offsetBytes, Math.min(field.sizeBytes, 4))
      } !== 0 ? 1 : 0)`;
    case "int8":
      return `${view}.getInt8(${where})`;
    case "int16":
      return `${view}.getInt16(${where}, true)`;
    case "int32":
      return `${view}.getInt32(${where}, true)`;
    case "uint8":
    case "uint16":
    case "uint32":
      return emitUint(segment, field.offsetBytes, SIZES[field.kind]);
    case "int64":
    case "uint64": {
      const { low, high } = emitWordPair(field, segment);
      return `(${high} * 4294967296 + ${low})`;
    }
    case "float32":
      return `${view}.getFloat32(${where}, true)`;
    case "float64":
      return `${view}.getFloat64(${where}, true)`;
    case "cstring":
    case "bytes":
    case "int128":
    case "uint128":
      throw new Error(`BUG: ${field.kind} field read as a number`);
  }
}

function emitBitfield(field: Field, segment: SegmentVariables): string {
  const signed = isSignedKind(field.kind);
  if (field.bitSize > 32 || field.sizeBytes > 4) {
    return `Number(${emitWideBitfield(field, segment)})`;
  }
  const unit = emitUint(segment, field.offsetBytes, field.sizeBytes);
  if (signed) {
    return `(${unit} << ${32 - field.bitOffset - field.bitSize} >> ${32 - field.bitSize})`;
  }
  const mask = field.bitSize === 32 ? 0xffffffff : (2 ** field.bitSize) - 1;
  return `((${unit} >>> ${field.bitOffset} & ${mask}) >>> 0)`;
}

/** BigInt expression of a bitfield in a 64-bit unit: exact, allocates, rare. */
function emitWideBitfield(field: Field, segment: SegmentVariables): string {
  const unit = field.sizeBytes === 8
    ? `${segment.view}.getBigUint64(${at(segment, field.offsetBytes)}, true)`
    : `BigInt(${emitUint(segment, field.offsetBytes, field.sizeBytes)})`;
  const convert = isSignedKind(field.kind) ? "asIntN" : "asUintN";
  return `BigInt.${convert}(${field.bitSize}, ${unit} >> ${field.bitOffset}n)`;
}

function emitWideBitfieldPair(field: Field, segment: SegmentVariables): WordPair {
  const value = emitWideBitfield(field, segment);
  const convert = isSignedKind(field.kind) ? "asIntN" : "asUintN";
  return {
    low: `Number(BigInt.asUintN(32, ${value}))`,
    high: `Number(BigInt.${convert}(32, ${value} >> 32n))`,
  };
}

/** Fields of more words than this are read by a loop, so they need words in an array. */
export const MAX_UNROLLED_WORDS = 16;

/** Where the words of a field go. */
export interface KeyTarget {
  readonly segment: SegmentVariables;
  /** Assignable expression of word `index` of the field. */
  readonly word: (index: number) => string;
  /** The int32 array and the first index in it, if the words lie in an array. */
  readonly array?: { readonly name: string; readonly start: number };
}

/** Statements that assign a field's canonical key words (see `readKeyWords`); uses `z` and `j`. */
export function emitKeyWords(writer: CodeWriter, field: Field, target: KeyTarget): void {
  const { segment } = target;
  const count = keyWordCount(field);
  if (field.bitSize > 0 || (field.kind === "bool" && field.arrayLength === 0)) {
    emitSmallKey(writer, field, target);
  } else if (count > MAX_UNROLLED_WORDS) {
    emitKeyLoop(writer, field, target);
  } else {
    const targets = Array.from({ length: count }, (_, index) => target.word(index));
    targets.forEach((word, index) => {
      const offset = field.offsetBytes + index * 4;
      writer.line(`${word} = ${emitPartialWord(segment, offset, field.sizeBytes - index * 4)};`);
    });
    if (field.kind === "cstring") emitCutAtNul(writer, targets);
  }
}

function emitSmallKey(writer: CodeWriter, field: Field, target: KeyTarget): void {
  if (keyWordCount(field) === 1) {
    writer.line(`${target.word(0)} = ${emitNumber(field, target.segment)} | 0;`);
    return;
  }
  const { low, high } = emitWordPair(field, target.segment);
  writer.line(`${target.word(0)} = ${low} | 0;`).line(`${target.word(1)} = ${high} | 0;`);
}

function emitKeyLoop(writer: CodeWriter, field: Field, { segment, array }: KeyTarget): void {
  if (array === undefined) throw new Error("BUG: a long key needs its words in an array");
  const whole = Math.floor(field.sizeBytes / 4);
  const word = (index: string) => `${array.name}[${array.start} + ${index}]`;
  const source = `${segment.view}.getInt32(${at(segment, field.offsetBytes)} + j * 4, true)`;
  writer.block(`for (j = 0; j < ${whole}; j++)`, () => writer.line(`${word("j")} = ${source};`));
  if (field.sizeBytes % 4 !== 0) {
    const rest = emitPartialWord(segment, field.offsetBytes + whole * 4, field.sizeBytes % 4);
    writer.line(`${word(String(whole))} = ${rest};`);
  }
  if (field.kind !== "cstring") return;
  const end = array.start + keyWordCount(field);
  writer.block(`for (j = ${array.start}; j < ${end}; j++)`, () => {
    writer.line(`z = ${array.name}[j] - 0x01010101 & ~${array.name}[j] & 0x80808080;`);
    writer.block("if (z !== 0)", () => {
      writer.line(`${array.name}[j] &= ((z & -z) >>> 7) - 1;`);
      writer.line(`${array.name}.fill(0, j + 1, ${end});`).line("break;");
    });
  });
}

/** A word of which only the first `sizeBytes` bytes belong to the field; the rest reads as zero. */
function emitPartialWord(segment: SegmentVariables, offset: number, sizeBytes: number): string {
  switch (sizeBytes) {
    case 1:
      return emitUint(segment, offset, 1);
    case 2:
      return emitUint(segment, offset, 2);
    case 3:
      return `${emitUint(segment, offset, 2)} | ${emitUint(segment, offset + 2, 1)} << 16`;
    default:
      return emitWord(segment, offset);
  }
}

/**
 * Clears everything after the first NUL, so that strings are the same key whatever lies behind it.
 * In `z` the lowest set bit marks the first zero byte: bits above it may be false alarms.
 */
function emitCutAtNul(writer: CodeWriter, targets: readonly string[]): void {
  const [first, ...rest] = targets;
  writer.line(`z = ${first} - 0x01010101 & ~${first} & 0x80808080;`);
  const clear = rest.length > 0 ? ` ${rest.join(" = ")} = 0;` : "";
  writer.line(`if (z !== 0) { ${first} &= ((z & -z) >>> 7) - 1;${clear} }`);
  if (rest.length > 0) writer.block("else", () => emitCutAtNul(writer, rest));
}

/**
 * Statements that mix key words into `h`; the result is an int32.
 *
 * The products do not depend on each other, so the processor computes them side by side. Words that
 * differ in their high bits only (the last bytes of addresses and of strings) are folded first: their
 * products would differ in the same few bits, whatever the factors.
 */
export function emitHash(writer: CodeWriter, words: readonly string[]): void {
  const products = words.map((word, index) =>
    `Math.imul(${word} ^ ${word} >>> 15, ${factorOf(index)})`
  );
  writer.line(`h = ${products.join(" + ") || "0"} | 0;`);
  writer.line("h = Math.imul(h ^ h >>> 15, 0x2c1b3c6d);");
  writer.line("h ^= h >>> 13;");
}

/** Odd and different for every word: multiples of the golden ratio, spread by a second constant. */
function factorOf(index: number): number {
  return (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6a)) | 1;
}

/** The hash that `emitHash` emits, for tables that generated and plain code share. */
export function hashWords(words: ArrayLike<number>, start: number, count: number): number {
  let hash = 0;
  for (let index = 0; index < count; index++) {
    const word = words[start + index];
    hash = hash + Math.imul(word ^ word >>> 15, factorOf(index)) | 0;
  }
  hash = Math.imul(hash ^ hash >>> 15, 0x2c1b3c6d);
  return hash ^ hash >>> 13;
}
