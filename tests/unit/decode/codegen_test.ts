/** Emitted expressions, run, against what `interpret.ts` reads. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import {
  CodeWriter,
  commentName,
  elementSizeBytes,
  emitHash,
  emitKeyWords,
  emitNumber,
  emitUint,
  emitWord,
  emitWordPair,
  type Field,
  hashWords,
  isSignedKind,
  keyWordCount,
  readInteger,
  readKeyWords,
  readNumber,
} from "../../../src/decode/mod.ts";
import { makeField, recordOf } from "./fields.ts";

const SEGMENT = { view: "v", base: "p" };
/** The record begins at an odd byte: nothing is aligned. */
const BASE = 3;

const PATTERNS: readonly (readonly number[])[] = [
  [0],
  [0xff],
  [0x80],
  [0x7f],
  [1, 0],
  [0, 0, 0, 0x80],
  [0xff, 0xff, 0xff, 0x7f],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  [0, 0, 0, 0, 0, 0, 0x20, 0],
  [0x12, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56],
];

function bytesOf(pattern: readonly number[], length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => pattern[index % pattern.length]);
}

function evaluate(expression: string, bytes: Uint8Array): unknown {
  const record = recordOf(bytes, BASE);
  return new Function("v", "p", `"use strict"; return ${expression};`)(record.segments[0], BASE);
}

const INTEGER_KINDS = [
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
] as const;

function plainFields(): Field[] {
  return INTEGER_KINDS.flatMap((kind) => {
    const sizeBytes = elementSizeBytes(makeField({ kind, sizeBytes: 1 }));
    return [0, 5].map((offsetBytes) => makeField({ kind, sizeBytes, offsetBytes }));
  });
}

/** Every width at the first, a middle and the last bit of every storage unit, both signs. */
function bitfields(): Field[] {
  const fields: Field[] = [];
  for (const sizeBytes of [1, 2, 4, 8]) {
    for (let bitSize = 1; bitSize <= sizeBytes * 8; bitSize++) {
      const last = sizeBytes * 8 - bitSize;
      for (const bitOffset of new Set([0, last >> 1, last])) {
        const wide = bitSize > 32;
        for (const kind of wide ? ["int64", "uint64"] as const : ["int32", "uint32"] as const) {
          fields.push(makeField({ kind, sizeBytes, bitOffset, bitSize, offsetBytes: 1 }));
        }
      }
    }
  }
  return fields;
}

function describe(field: Field): string {
  return `${field.kind} at ${field.offsetBytes}+${field.sizeBytes} bits ${field.bitOffset}+${field.bitSize}`;
}

for (const [what, fields] of [["integers", plainFields()], ["bitfields", bitfields()]] as const) {
  Deno.test(`numbers of ${what} are those that the interpreter reads`, () => {
    for (const field of fields) {
      const expression = emitNumber(field, SEGMENT);
      for (const pattern of PATTERNS) {
        const bytes = bytesOf(pattern, 16);
        const expected = readNumber(field, recordOf(bytes, BASE));
        assertEquals(evaluate(expression, bytes), expected, `${describe(field)} of ${pattern}`);
      }
    }
  });

  Deno.test(`word pairs of ${what} hold the exact value, the high word with its sign`, () => {
    for (const field of fields) {
      const { low, high } = emitWordPair(field, SEGMENT);
      for (const pattern of PATTERNS) {
        const bytes = bytesOf(pattern, 16);
        const value = readInteger(field, recordOf(bytes, BASE));
        const as = isSignedKind(field.kind) ? BigInt.asIntN : BigInt.asUintN;
        assertEquals(
          evaluate(`[${low}, ${high}]`, bytes),
          [Number(BigInt.asUintN(32, value)), Number(as(32, value >> 32n))],
          `${describe(field)} of ${pattern}`,
        );
      }
    }
  });
}

const FLOATS = [0, -0, 1.5, NaN, Infinity, -Infinity, 5e-324, 0.1];
Deno.test("floats are read as they are, negative zero and NaN too", () => {
  for (const value of FLOATS) {
    const single = makeField({ kind: "float32", sizeBytes: 4 });
    const double = makeField({ kind: "float64", sizeBytes: 8 });
    const singles = new Uint8Array(new Float32Array([value]).buffer);
    const doubles = new Uint8Array(new Float64Array([value]).buffer);
    assertEquals(evaluate(emitNumber(single, SEGMENT), singles), Math.fround(value));
    assertEquals(evaluate(emitNumber(double, SEGMENT), doubles), value);
  }
});

Deno.test("any set bit of a bool is true", () => {
  const field = makeField({ kind: "bool", sizeBytes: 1 });
  for (const [byte, number] of [[0, 0], [1, 1], [2, 1], [0x80, 1]]) {
    assertEquals(evaluate(emitNumber(field, SEGMENT), Uint8Array.of(byte)), number);
  }
});

Deno.test("unsigned integers and words at an offset", () => {
  const bytes = bytesOf([0xff, 0xfe, 0xfd, 0xfc], 8);
  const read = [1, 2, 4].map((size) => evaluate(emitUint(SEGMENT, 2, size), bytes));
  assertEquals(read, [0xfd, 0xfcfd, 0xfefffcfd]);
  assertEquals(evaluate(emitWord(SEGMENT, 0), bytes), 0xfcfdfeff | 0);
});

/** Runs emitted key statements. `inArray` as where keys are many. */
function keyWords(field: Field, bytes: Uint8Array, options: { inArray: boolean }): number[] {
  const start = 2;
  const writer = new CodeWriter();
  writer.line("const words = new Int32Array(300).fill(-1); let z = 0, j = 0;");
  emitKeyWords(writer, field, {
    segment: SEGMENT,
    word: (index) => `words[${start + index}]`,
    array: options.inArray ? { name: "words", start } : undefined,
  });
  writer.line("return words;");
  const record = recordOf(bytes, BASE);
  const words: Int32Array = new Function("v", "p", writer.toString())(record.segments[0], BASE);
  const count = keyWordCount(field);
  assertEquals(
    [...words.subarray(0, start), words[start + count]],
    [-1, -1, -1],
    "written outside",
  );
  return Array.from(words.subarray(start, start + count), (word) => word >>> 0);
}

Deno.test("key words of numbers, bits and blocks are those of the interpreter", () => {
  const sizes = Array.from({ length: 80 }, (_, index) => index + 1);
  const fields = [
    ...plainFields(),
    ...bitfields(),
    ...sizes.map((sizeBytes) => makeField({ kind: "bytes", sizeBytes, offsetBytes: 1 })),
    makeField({ kind: "bool", sizeBytes: 1 }),
    makeField({ kind: "bool", sizeBytes: 5, arrayLength: 5 }),
    makeField({ kind: "uint128", sizeBytes: 16, offsetBytes: 1 }),
    makeField({ kind: "float64", sizeBytes: 8 }),
    makeField({ kind: "int16", sizeBytes: 70, arrayLength: 35 }),
  ];
  for (const field of fields) {
    for (const pattern of PATTERNS) {
      const bytes = bytesOf(pattern, 88);
      const expected = readKeyWords(field, recordOf(bytes, BASE));
      assertEquals(keyWords(field, bytes, { inArray: true }), expected, describe(field));
    }
  }
});

Deno.test("strings are cut at their first NUL, wherever it is, in words and in arrays", () => {
  for (const sizeBytes of [1, 2, 3, 4, 5, 7, 8, 16, 63, 64, 65, 66, 67, 100]) {
    const field = makeField({ kind: "cstring", sizeBytes, offsetBytes: 1 });
    for (const fill of [1, 0x7f, 0x80, 0x81, 0xff]) {
      for (let end = 0; end <= sizeBytes; end++) {
        const bytes = new Uint8Array(sizeBytes + 2).fill(fill);
        // 1 behind 0 is what the search for zero bytes may take for another one.
        if (end < sizeBytes) bytes.set([0, 1, 1, 1].slice(0, sizeBytes - end), 1 + end);
        const expected = readKeyWords(field, recordOf(bytes, BASE));
        const message = `${sizeBytes} bytes of ${fill}, NUL at ${end}`;
        assertEquals(keyWords(field, bytes, { inArray: true }), expected, message);
        if (sizeBytes <= 64) {
          assertEquals(keyWords(field, bytes, { inArray: false }), expected, message);
        }
      }
    }
  }
});

Deno.test("emitted and plain hash agree", () => {
  for (const count of [0, 1, 2, 5, 17, 40]) {
    const words = Int32Array.from(
      { length: count },
      (_, index) => Math.imul(index + 1, 0x87654321),
    );
    const writer = new CodeWriter().line("let h = 7;");
    emitHash(writer, Array.from(words, (_, index) => `words[${index}]`));
    assertEquals(new Function("words", `${writer}return h;`)(words), hashWords(words, 0, count));
  }
});

function hashOf(key: readonly number[]): number {
  return hashWords(key, 0, key.length);
}

/** Keys as they occur: 100 × 100 that differ in few bits. */
const REGULAR_KEYS: readonly [string, (a: number, b: number) => number[]][] = [
  ["neighbouring numbers", (a, b) => [1000 + a, 5000 + b]],
  ["addresses of two networks, by their last bytes", (a, b) => [10 | a << 24, 10 | b << 24]],
  [
    "names that differ in their 4th and 8th letter",
    (a, b) => [0x616161 | a << 24, b << 24, 0, 0, 7],
  ],
  ["ports in the upper half of words", (a, b) => [a << 16, b << 16]],
  ["pages", (a, b) => [a * 4096, b * 65536]],
  ["sums", (a, b) => [a + b, a - b, 0]],
  ["doubles", (a, b) => [...new Int32Array(new Float64Array([a, b]).buffer)]],
];
for (const [what, makeKey] of REGULAR_KEYS) {
  Deno.test(`hashes spread: ${what}`, () => {
    const size = 100;
    const places = new Set<number>();
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) places.add(hashOf(makeKey(a, b)) & 0xffff);
    }
    // Throwing at random uses about 9270 of the 65536 places.
    assertEquals(places.size > 8500, true, `${places.size} places`);
  });
}

const NAMES = [
  ["pid", "pid"],
  ["proc.creds.uid", "proc.creds.uid"],
  ["_x9", "_x9"],
  ["a b", "field at byte 4"],
  ["a\n", "field at byte 4"],
  ["9a", "field at byte 4"],
  ["a.", "field at byte 4"],
  ["é", "field at byte 4"],
  ["*/", "field at byte 4"],
];
for (const [name, shown] of NAMES) {
  Deno.test(`in a comment, ${JSON.stringify(name)} is ${shown}`, () => {
    assertEquals(
      commentName(makeField({ name, kind: "uint32", sizeBytes: 4, offsetBytes: 4 })),
      shown,
    );
  });
}

Deno.test("blocks are indented", () => {
  const writer = new CodeWriter();
  writer.block("if (x)", () => writer.line("y();"), " // end").line("z();");
  assertEquals(writer.toString(), "if (x) {\n  y();\n} // end\nz();\n");
});
