// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import {
  type Field,
  type FieldKind,
  type FieldValue,
  keyWordCount,
  keyWordsReader,
  readField,
  readInteger,
  readKeyWords,
  readNumber,
} from "../../../src/decode/mod.ts";
import { fieldNamed, fieldsOf, fixtures, makeField, recordOf } from "./fields.ts";

/** What `shapes.c` initialises its globals with; clang laid the bytes out. */
const COMPILED: Record<string, Record<string, FieldValue>> = {
  scalars: {
    yes: true,
    i8: -128,
    u8: 255,
    i16: -32768,
    u16: 65535,
    i32: -2147483648,
    u32: 4294967295,
    i64: -9223372036854775808n,
    u64: 18446744073709551615n,
    i128: "0xfffffffffffffffffffffffffffffffe",
    u128: "0x0123456789abcdeffedcba9876543210",
    f32: -0.5,
    f64: 1e300,
    pointer: 0xffff888012345678n,
    qualified: 77,
    total: 9007199254740993n,
  },
  arrays: {
    text: "hello",
    comm: "sixteen-bytes-xx",
    raw: [1, 2, 3, 4, 5, 255],
    longs: [-1n, 0n, 9223372036854775807n],
    flags: [true, false, false, true],
    grid: [1, 2, 3, 4, 5, 65535],
    lines: new TextEncoder().encode("one\0\0\0\0\0two\0\0\0\0\0"),
    points: new Uint8Array([1, 0, 255, 255, 2, 0, 254, 255]),
    states: [1, 7],
    slots: [0, 1, 2, 3, 4, 5, 6, 4294967295],
    wide: ["0x00000000000000000000000000000001", "0xffffffffffffffffffffffffffffffff"],
  },
  bitfields: {
    a: 5,
    b: 0x15555555,
    c: -3,
    d: true,
    e: 7,
    f: 0xa987654321n,
    g: -400000,
    h: 2,
    i: 6,
  },
  packed_bits: { head: 200, a: 101, b: 0x1abc, c: 9, odd: 0x8877665544332211n },
  nested: {
    "one.a": 1,
    "one.b": 2,
    "one.c": 0x0403,
    "one.d": [3, 4],
    "two.x": 5,
    "two.y": -6,
    word: 0xaabbccdd,
    octets: [0xdd, 0xcc, 0xbb, 0xaa],
    "named.deep": 7,
    pad: 9,
  },
  packed: { head: 1, odd: 0x0807060504030201n, real: 2.5, tail: 0xfffefdfc },
};

Deno.test("fields read what the compiler wrote, at any alignment", () => {
  for (const [struct, values] of Object.entries(COMPILED)) {
    const bytes = Deno.readFileSync(new URL(`shapes.${struct}.bin`, fixtures));
    const fields = fieldsOf(struct).filter((field) => field.name in values);
    for (const offset of [0, 1, 7]) {
      const record = recordOf(bytes, offset);
      const read = Object.fromEntries(
        fields.map((field) => [field.name, readField(field, record)]),
      );
      assertEquals(read, values, struct);
    }
  }
});

Deno.test("strings end at the first NUL and show what is no UTF-8 byte by byte", () => {
  const cases: [bytes: number[], want: string][] = [
    [[0, 65, 66, 67], ""],
    [[65, 0, 66, 0], "A"],
    [[65, 66, 67, 68], "ABCD"],
    [[0xc3, 0xa9, 0, 0], "é"],
    [[0x41, 0xc3, 0, 0xa9], "A\\xc3"],
    [[0xff, 0xfe, 0x80, 0x41], "\\xff\\xfe\\x80A"],
    [[0x5c, 0xe2, 0x82, 0x41], "\\\\\\xe2\\x82A"],
    [[0x5c, 0x78, 0x66, 0x66], "\\xff"],
    [[0xef, 0xbb, 0xbf, 0x41], "\ufeffA"],
  ];
  const field = makeField({ kind: "cstring", sizeBytes: 4 });
  for (const [bytes, want] of cases) {
    assertEquals(readField(field, recordOf(new Uint8Array(bytes))), want);
  }
});

Deno.test("any set bit makes a bool true", () => {
  const field = makeField({ kind: "bool", sizeBytes: 1 });
  const read = [0, 1, 2, 0x80].map((byte) => readField(field, recordOf(new Uint8Array([byte]))));
  assertEquals(read, [false, true, true, true]);
});

Deno.test("numbers are read from scalars only", () => {
  const record = recordOf(Deno.readFileSync(new URL("shapes.scalars.bin", fixtures)));
  const fields = fieldsOf("scalars");
  const number = (name: string) => readNumber(fieldNamed(fields, name), record);
  assertEquals(["yes", "i8", "u64", "f32", "i128"].map(number), [1, -128, 2 ** 64, -0.5, -2]);
  assertEquals(readInteger(fieldNamed(fields, "i128"), record), -2n);
  assertEquals(readInteger(fieldNamed(fields, "total"), record), 9007199254740993n);
  const text = makeField({ kind: "cstring", sizeBytes: 4 });
  assertThrows(() => readNumber(text, record), Error, "BUG: field f of kind cstring is no number");
});

Deno.test("bytes are a copy that outlives the record", () => {
  const record = recordOf(new Uint8Array([1, 2, 3]));
  const value = readField(makeField({ kind: "bytes", sizeBytes: 3 }), record);
  record.segments[0].setUint8(0, 99);
  assertEquals(value, new Uint8Array([1, 2, 3]));
});

Deno.test("a field of a map value is read from segment 1 at its own offset", () => {
  const field = makeField({ kind: "uint8", sizeBytes: 1, segment: 1, offsetBytes: 1 });
  const view = new DataView(new Uint8Array([0, 0, 0, 42]).buffer);
  assertEquals(readField(field, { segments: [view, view], offsets: [0, 2] }), 42);
  assertThrows(() => readField(field, { segments: [view], offsets: [0, 2] }), Error, "BUG");
});

Deno.test("key words are zero-padded and canonical", () => {
  const cases: [field: Parameters<typeof makeField>[0], bytes: number[], words: number[]][] = [
    [{ kind: "int8", sizeBytes: 1 }, [0xff, 9], [0xff]],
    [{ kind: "uint64", sizeBytes: 8 }, [1, 2, 3, 4, 5, 6, 7, 0x88], [0x04030201, 0x88070605]],
    [{ kind: "bool", sizeBytes: 1 }, [0x40], [1]],
    [{ kind: "cstring", sizeBytes: 6 }, [65, 66, 0, 67, 68, 69], [0x4241, 0]],
    [{ kind: "bytes", sizeBytes: 6 }, [65, 66, 0, 67, 68, 69], [0x43004241, 0x4544]],
    [{ kind: "uint16", sizeBytes: 6, arrayLength: 3 }, [1, 0, 2, 0, 3, 0], [0x20001, 3]],
    [{ kind: "uint32", sizeBytes: 1, bitOffset: 2, bitSize: 3 }, [0xff], [7]],
    [{ kind: "int32", sizeBytes: 1, bitOffset: 2, bitSize: 3 }, [0xff], [0xffffffff]],
    [
      { kind: "int64", sizeBytes: 8, bitOffset: 1, bitSize: 40 },
      [0, 0, 0, 0, 0, 1, 0, 0],
      [0, 0xffffff80],
    ],
  ];
  for (const [parts, bytes, words] of cases) {
    const field = makeField(parts);
    assertEquals(readKeyWords(field, recordOf(new Uint8Array(bytes))), words);
    assertEquals(keyWordCount(field), words.length);
  }
});

Deno.test("random records: the value survives its key words, equal values have equal words", () => {
  const seed = Number(Deno.env.get("SEED") ?? 7);
  let state = seed;
  const random = (): number => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return state >>> 8 & 0xff;
  };
  const fields = Object.keys(COMPILED).flatMap(fieldsOf);
  for (let round = 0; round < 60; round++) {
    const bytes = Uint8Array.from({ length: 200 }, random);
    const record = recordOf(bytes, round % 8);
    for (const field of fields) {
      const value = readField(field, record);
      const words = readKeyWords(field, record);
      const note = `seed ${seed}, round ${round}, ${field.name}`;
      assertEquals(keyWordsReader(field)([7, ...words], 1), value, note);
      assertEquals(readKeyWords(field, recordOf(scramble(field, bytes), 3)), words, note);
    }
  }
});

/** The record with every bit flipped that is not the field's. */
function scramble(field: Field, bytes: Uint8Array): Uint8Array {
  const result = bytes.map((byte) => ~byte);
  const { offsetBytes, sizeBytes, bitOffset, bitSize } = field;
  if (bitSize === 0) {
    result.set(bytes.subarray(offsetBytes, offsetBytes + sizeBytes), offsetBytes);
    return result;
  }
  for (let bit = offsetBytes * 8 + bitOffset; bit < offsetBytes * 8 + bitOffset + bitSize; bit++) {
    result[bit >> 3] ^= 1 << (bit & 7);
  }
  return result;
}

Deno.test("random values: integers of every kind and bitfield are read back exactly", () => {
  const kinds: [FieldKind, bits: number][] = [
    ["int8", 8],
    ["uint8", 8],
    ["int16", 16],
    ["uint16", 16],
    ["int32", 32],
    ["uint32", 32],
    ["int64", 64],
    ["uint64", 64],
  ];
  for (const [kind, bits] of kinds) {
    for (let bitSize = 0; bitSize <= bits; bitSize++) {
      const bitOffset = bitSize === 0 ? 0 : (bits - bitSize) >> 1;
      const field = makeField({ kind, sizeBytes: bits / 8, bitSize, bitOffset, offsetBytes: 3 });
      const width = bitSize || bits;
      const extremes = kind.startsWith("int")
        ? [-(1n << BigInt(width - 1)), -1n, 0n, (1n << BigInt(width - 1)) - 1n]
        : [0n, 1n, (1n << BigInt(width)) - 1n];
      for (const value of extremes) {
        const bytes = new Uint8Array(16).fill(0xa5);
        writeBits(bytes, { firstBit: 24 + bitOffset, width, value });
        assertEquals(readInteger(field, recordOf(bytes, 1)), value, `${kind}:${bitSize}`);
      }
    }
  }
});

function writeBits(
  bytes: Uint8Array,
  at: { firstBit: number; width: number; value: bigint },
): void {
  for (let i = 0; i < at.width; i++) {
    const bit = at.firstBit + i;
    const isSet = (at.value >> BigInt(i) & 1n) === 1n;
    if (isSet) bytes[bit >> 3] |= 1 << (bit & 7);
    else bytes[bit >> 3] &= ~(1 << (bit & 7));
  }
}
