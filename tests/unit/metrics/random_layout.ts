/** Random fields of every kind at random places, and bytes that are likely to be awkward for them. */

import { elementSizeBytes, type Field, type FieldKind } from "../../../src/decode/mod.ts";
import { makeField } from "../decode/fields.ts";
import type { Random } from "../random.ts";

const SCALAR_KINDS = [
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "int128",
  "uint128",
  "float32",
  "float64",
] as const;
const ARRAY_KINDS = ["uint32", "uint64", "int32", "int64", "uint8", "float64", "bool"] as const;
/** Below and above what is read by unrolled code, and sizes that leave 1, 2 and 3 bytes over. */
const BLOCK_SIZES = [1, 2, 3, 4, 5, 8, 13, 16, 31, 62, 63, 64, 65, 66, 67, 100];

/** Fields of one memory block. */
export interface Layout {
  readonly fields: readonly Field[];
  readonly sizeBytes: number;
}

/** Fields one after the other, with gaps, sometimes unaligned, sometimes over each other. */
export function randomLayout(random: Random, segment: 0 | 1): Layout {
  const fields: Field[] = [];
  const isPacked = random.chance(0.3);
  let end = 0;
  const count = random.between(1, 9);
  for (let index = 0; index < count; index++) {
    const field = randomField(random, { name: `f${segment}_${index}`, segment });
    const isOverlaid = end > field.sizeBytes && random.chance(0.1);
    const offsetBytes = isOverlaid
      ? random.between(0, end - field.sizeBytes)
      : isPacked
      ? end + random.between(0, 1)
      : Math.ceil(end / 8) * 8;
    fields.push({ ...field, offsetBytes });
    end = Math.max(end, offsetBytes + field.sizeBytes);
  }
  return { fields, sizeBytes: end + (isPacked ? random.between(0, 3) : -end & 7) };
}

function randomField(random: Random, at: Pick<Field, "name" | "segment">): Field {
  const choice = random.between(0, 9);
  if (choice === 0) {
    return makeField({ ...at, kind: "cstring", sizeBytes: random.pick(BLOCK_SIZES) });
  }
  if (choice === 1) {
    return makeField({ ...at, kind: "bytes", sizeBytes: random.pick(BLOCK_SIZES) });
  }
  if (choice === 2 || choice === 3) return { ...randomBitfield(random), ...at };
  if (choice === 4 || choice === 5) {
    const kind = random.pick(ARRAY_KINDS);
    const arrayLength = random.between(1, 20);
    return makeField({ ...at, kind, arrayLength, sizeBytes: sizeOf(kind) * arrayLength });
  }
  const kind = random.pick(SCALAR_KINDS);
  const format = random.chance(0.15) && !kind.startsWith("float")
    ? { type: "errno" as const }
    : undefined;
  return makeField({ ...at, kind, sizeBytes: sizeOf(kind), ...(format && { format }) });
}

function sizeOf(kind: FieldKind): number {
  return elementSizeBytes(makeField({ kind, sizeBytes: 1 }));
}

/** Kinds and units as `deriveFields` makes them. */
function randomBitfield(random: Random): Field {
  const sizeBytes = random.pick([1, 2, 4, 8]);
  const bitSize = random.chance(0.1) ? sizeBytes * 8 : random.between(1, sizeBytes * 8);
  const bitOffset = random.between(0, sizeBytes * 8 - bitSize);
  const isSigned = random.chance(0.5);
  const kind = bitSize === 1 && random.chance(0.3)
    ? "bool"
    : bitSize > 32
    ? (isSigned ? "int64" : "uint64")
    : random.pick(
      bitSize > 8
        ? [isSigned ? "int32" : "uint32"] as const
        : [isSigned ? "int8" : "uint8", isSigned ? "int32" : "uint32"] as const,
    );
  return makeField({ kind, sizeBytes, bitOffset, bitSize });
}

const FLOATS = [NaN, Infinity, -Infinity, -0, 0, 1.5, -3, 5, 1e300, 0.1, 10, 2 ** 60];

/** Bytes for a field: extremes, small numbers, or noise. */
export function awkwardBytes(random: Random, field: Field): Uint8Array<ArrayBuffer> {
  const { sizeBytes } = field;
  const bytes = new Uint8Array(sizeBytes);
  const choice = random.between(0, 5);
  if (field.kind === "cstring") return awkwardText(random, sizeBytes);
  if (choice === 0) return bytes;
  if (choice === 1) return bytes.fill(0xff);
  if (choice === 2) return random.bytes(sizeBytes);
  const view = new DataView(bytes.buffer);
  const step = elementSizeBytes(field);
  for (let at = 0; at + step <= sizeBytes; at += step) {
    if (field.kind === "float32") view.setFloat32(at, random.pick(FLOATS), true);
    else if (field.kind === "float64") view.setFloat64(at, random.pick(FLOATS), true);
    else bytes[at] = random.between(0, 20);
    // Above 2^53, where doubles are no longer exact; also 2^31 and 2^63 and their neighbours.
    if (choice === 3 && step === 8 && field.kind.endsWith("64")) bytes[at + 6] = 0x3f;
    if (choice === 4 && field.kind.includes("int")) bytes[at + step - 1] = random.pick([127, 128]);
  }
  return bytes;
}

function awkwardText(random: Random, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = random.chance(0.5)
    ? Uint8Array.from({ length: sizeBytes }, () => random.pick([97, 98, 0x80, 0x81, 1]))
    : random.bytes(sizeBytes);
  const length = random.between(0, sizeBytes);
  // What lies behind the NUL is no part of the text.
  if (length < sizeBytes) bytes[length] = 0;
  return bytes;
}

/** A block whose fields have values from a pool, so that keys repeat. */
export class RecordMaker {
  readonly #random: Random;
  readonly #layout: Layout;
  readonly #pools: readonly (readonly Uint8Array<ArrayBuffer>[])[];

  constructor(random: Random, layout: Layout) {
    this.#random = random;
    this.#layout = layout;
    const poolSize = random.between(1, 5);
    this.#pools = layout.fields.map((field) =>
      Array.from({ length: poolSize }, () => awkwardBytes(random, field))
    );
  }

  make(): Uint8Array<ArrayBuffer> {
    const record = this.#random.bytes(this.#layout.sizeBytes);
    this.#layout.fields.forEach(({ offsetBytes }, index) =>
      record.set(this.#random.pick(this.#pools[index]), offsetBytes)
    );
    return record;
  }
}
