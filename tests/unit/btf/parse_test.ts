// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseBtf } from "../../../src/btf/mod.ts";
import { deriveFields } from "../../../src/decode/mod.ts";
import { FormatError, UnsupportedError } from "../../../src/errors.ts";
import { BtfWriter, type RecordParts } from "./btf_writer.ts";

const fixtures = new URL("../../fixtures/btf/", import.meta.url);
const shapes = Deno.readFileSync(new URL("shapes.btf", fixtures));

/** Uses everything that the bytes can reach; returns the error if it is one for bad input. */
function readAll(bytes: Uint8Array): FormatError | UnsupportedError | undefined {
  try {
    const btf = parseBtf(bytes);
    for (let id = 0; id < btf.typeCount; id++) {
      try {
        deriveFields(btf, id, { segment: 0 });
      } catch (error) {
        if (!isInputError(error)) throw error;
      }
    }
    return undefined;
  } catch (error) {
    if (isInputError(error)) return error;
    throw error;
  }
}

function isInputError(error: unknown): error is FormatError | UnsupportedError {
  return error instanceof FormatError || error instanceof UnsupportedError;
}

Deno.test("a blob cut anywhere is an error for bad input, never anything else", () => {
  assertEquals(readAll(shapes), undefined);
  for (let length = 0; length < shapes.length; length++) {
    assert(readAll(shapes.subarray(0, length)) !== undefined, `${length} bytes were accepted`);
  }
});

Deno.test("a blob at an odd address is read alike", () => {
  const moved = new Uint8Array(shapes.length + 1);
  moved.set(shapes, 1);
  assertEquals(parseBtf(moved.subarray(1)).types, parseBtf(shapes).types);
});

Deno.test("a blob with random damage never hangs and never throws anything else", () => {
  const seed = Number(Deno.env.get("SEED") ?? 20240611);
  let state = seed;
  const random = (below: number): number => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 1500; round++) {
    const bytes = shapes.slice();
    for (let i = 0; i < 1 + round % 8; i++) bytes[random(bytes.length)] = random(256);
    try {
      readAll(bytes);
    } catch (error) {
      throw new Error(`seed ${seed}, round ${round}`, { cause: error });
    }
  }
});

Deno.test("big-endian BTF is named as what it is", () => {
  const bytes = Deno.readFileSync(new URL("shapes_big_endian.btf", fixtures));
  const error = assertThrows(() => parseBtf(bytes), UnsupportedError, "BTF is big endian");
  assertEquals(error.hint, "compile the object with clang -target bpfel");
});

Deno.test("broken headers are refused", () => {
  const cases: [name: string, bytes: Uint8Array, message: string][] = [
    ["empty", new Uint8Array(), "0 bytes long"],
    ["not BTF", new TextEncoder().encode("\x7fELF"), "BTF begins with 0x457f"],
    ["header length", new BtfWriter().toBytes({ 1: 23 }), "header says it is 23 bytes"],
    ["huge header", new BtfWriter().toBytes({ 1: 0xffffffff }), "header says it is 4294967295"],
    [
      "types outside",
      new BtfWriter().toBytes({ 2: 0xfffffff0 }),
      "type section at byte 4294967304",
    ],
    ["types too long", new BtfWriter().toBytes({ 3: 26 }), "type section at byte 24 with 26 bytes"],
    ["strings outside", new BtfWriter().toBytes({ 4: 2 }), "string section at byte 26 with 1"],
    ["no strings", new BtfWriter().toBytes({ 5: 0 }), "must begin and end with a NUL"],
    ["odd rest", new BtfWriter().toBytes({ 3: 1 }), "1 bytes left"],
  ];
  for (const [name, bytes, message] of cases) {
    assertThrows(() => parseBtf(bytes), FormatError, message, name);
  }
});

Deno.test("a larger header of a later version is skipped", () => {
  const bytes = new BtfWriter().toBytes();
  const grown = new Uint8Array(bytes.length + 8);
  grown.set(bytes.subarray(0, 24));
  grown.set(bytes.subarray(24), 32);
  new DataView(grown.buffer).setUint32(4, 32, true);
  assertEquals(parseBtf(grown).typeCount, 1);
});

Deno.test("broken records are refused with type id and byte offset", () => {
  const cases: [name: string, record: RecordParts, message: string][] = [
    ["name outside", { kind: "fwd", nameOffset: 50 }, "type 1 at byte 24: string offset 50"],
    ["type outside", { kind: "ptr", sizeOrType: 2 }, "type 1 at byte 32: type id 2"],
    [
      "member type outside",
      { kind: "struct", count: 1, words: ["m", 0xffffffff, 0] },
      "type 1 at byte 40: type id 4294967295",
    ],
    [
      "member name outside",
      { kind: "struct", count: 1, words: [77, 0, 0] },
      "type 1 at byte 36: string offset 77",
    ],
    ["array index outside", { kind: "array", words: [0, 9, 1] }, "type id 9"],
    ["parameter outside", { kind: "func_proto", count: 1, words: ["p", 9] }, "type id 9"],
    ["variable outside", { kind: "datasec", count: 1, words: [9, 0, 4] }, "type id 9"],
    ["enumerator outside", { kind: "enum", count: 1, words: [99, 0] }, "string offset 99"],
    ["enumerator outside", { kind: "enum64", count: 1, words: [99, 0, 0] }, "string offset 99"],
    ["too many members", { kind: "union", count: 65535 }, "needs 786432 bytes, 12 are left"],
  ];
  for (const [name, record, message] of cases) {
    const writer = new BtfWriter();
    writer.add(record);
    assertThrows(() => parseBtf(writer.toBytes()), FormatError, message, name);
  }
});

Deno.test("records that contradict themselves are refused when used", () => {
  const cases: [name: string, record: RecordParts, message: string][] = [
    ["int wider than its bytes", { kind: "int", sizeOrType: 1, words: [9] }, "integer of 9 bits"],
    ["int of 0 bits", { kind: "int", sizeOrType: 1, words: [0] }, "integer of 0 bits"],
    ["int of 256 bits", { kind: "int", sizeOrType: 64, words: [255] }, "integer of 255 bits"],
    ["enum of 3 bytes", { kind: "enum", sizeOrType: 3 }, "enum of 3 bytes"],
    ["unknown linkage", { kind: "var", name: "v", words: [3] }, "unknown linkage"],
    ["endless name", { kind: "fwd", name: "n".repeat(513) }, "longer than 512 bytes"],
  ];
  for (const [name, record, message] of cases) {
    const writer = new BtfWriter();
    writer.add(record);
    const btf = parseBtf(writer.toBytes());
    assertThrows(() => btf.type(1), FormatError, message, name);
  }
});

Deno.test("kinds of a later kernel are unsupported, not broken", () => {
  const writer = new BtfWriter();
  writer.add({ kind: "future" });
  assertThrows(
    () => parseBtf(writer.toBytes()),
    UnsupportedError,
    "type 1 at byte 24: unknown kind",
  );
  const version2 = new BtfWriter().toBytes({ 0: 0x0002eb9f });
  assertThrows(() => parseBtf(version2), UnsupportedError, "BTF version 2");
});
