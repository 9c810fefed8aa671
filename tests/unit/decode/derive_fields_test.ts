// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseBtf } from "../../../src/btf/mod.ts";
import { deriveFields, type Field } from "../../../src/decode/mod.ts";
import { FormatError, UnsupportedError } from "../../../src/errors.ts";
import { BtfWriter } from "../btf/btf_writer.ts";
import { fieldNamed, fieldsOf, fixtures, readShapes } from "./fields.ts";

const STRUCTS = [
  "scalars",
  "arrays",
  "bitfields",
  "packed_bits",
  "nested",
  "packed",
  "texts",
  "network",
  "process",
];

/** One line per field: everything but the annotations that all fields share. */
function describe(field: Field): string {
  const length = field.arrayLength > 0 ? `[${field.arrayLength}]` : "";
  const bits = field.bitSize > 0 ? ` bits ${field.bitOffset}+${field.bitSize}` : "";
  const shared = ["columns.width=16", "columns.ellipsis=end", "columns.alignment=left"];
  const annotations = Object.entries(field.annotations).map(([key, value]) => `${key}=${value}`)
    .filter((annotation) => !shared.includes(annotation)).join(" ");
  const format = field.format === undefined ? "" : ` as ${field.format.type}`;
  const set = field.format?.type === "enum" && field.format.isSet ? " set" : "";
  return `${field.name}: ${field.kind}${length} at ${field.offsetBytes}+${field.sizeBytes}${bits}` +
    `${format}${set}${field.hidden ? " hidden" : ""} (${field.tags.join(", ")}) ${annotations}`
      .trimEnd();
}

Deno.test("fields of every shape of member are as the golden file says", () => {
  const text =
    STRUCTS.map((name) =>
      [`struct ${name}`, ...fieldsOf(name).map((field) => `  ${describe(field)}`)].join("\n")
    ).join("\n\n") + "\n";
  const golden = new URL("shapes.fields.txt", fixtures);
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(golden, text);
  assertEquals(text.split("\n"), Deno.readTextFileSync(golden).split("\n"));
});

Deno.test("types that are no struct make one field", () => {
  const btf = readShapes();
  const cases: [variable: string, options: Parameters<typeof deriveFields>[2], want: string][] = [
    ["scalar_key", { segment: 0 }, "key: uint32 at 0+4"],
    ["text_key", { segment: 0, extraTags: ["role:key"] }, "key: cstring at 0+12"],
    ["enum_value", { segment: 1 }, "value: uint32 at 0+4 as enum"],
    ["array_value", { segment: 1, scalarName: "counts" }, "counts: uint64[4] at 0+32"],
    ["opaque_pointer", { segment: 1 }, "value: uint64 at 0+8"],
  ];
  for (const [variable, options, want] of cases) {
    const { fields, sizeBytes } = deriveFields(btf, btf.findByName("var", variable) ?? 0, options);
    assertEquals(fields.map((field) => describe(field).split(" (")[0]), [want]);
    assertEquals(fields[0].segment, options.segment);
    assertEquals(fields[0].sizeBytes, sizeBytes);
    for (const tag of options.extraTags ?? []) assert(fields[0].tags.includes(tag));
  }
});

Deno.test("enums carry their enumerators exactly", () => {
  const fields = fieldsOf("texts");
  const enumerators = (name: string) => {
    const { format } = fieldNamed(fields, name);
    return format?.type === "enum" && format.enumerators;
  };
  assertEquals(enumerators("big"), [
    { name: "BIG", value: 0x8000000000000000n },
    { name: "ONE", value: 1n },
  ]);
  assertEquals(enumerators("big_sign"), [
    { name: "LOW", value: -0x7000000000000000n },
    { name: "HIGH", value: 2n },
  ]);
  assertEquals(enumerators("sign"), [
    { name: "NEGATIVE", value: -5n },
    { name: "POSITIVE", value: 5n },
  ]);
});

Deno.test("a field is hidden exactly when its annotation says so", () => {
  for (const field of STRUCTS.flatMap(fieldsOf)) {
    assertEquals(field.hidden, field.annotations["columns.hidden"] === "true", field.name);
  }
});

Deno.test("bitfields of compilers before clang 8 say their place in the integer", () => {
  const writer = new BtfWriter();
  const bits = writer.add({
    kind: "int",
    name: "int",
    sizeOrType: 4,
    words: [1 << 24 | 2 << 16 | 5],
  });
  const struct = writer.addStruct("old", 4, [["low", bits, 0], ["high", bits, 27 - 2]]);
  const { fields } = deriveFields(parseBtf(writer.toBytes()), struct, { segment: 0 });
  assertEquals(fields.map((field) => describe(field).split(" (")[0]), [
    "low: int32 at 0+1 bits 2+5",
    "high: int32 at 3+1 bits 3+5",
  ]);
});

/** A struct `s` of the given size with one member `m`. */
function oneMember(
  size: number,
  member: { offset: number; flag?: boolean; type?: "u32" | "u64" | "ptr" | "u128" },
): () => unknown {
  const writer = new BtfWriter();
  const types = {
    u32: writer.addUint("u32", 4),
    u64: writer.addUint("u64", 8),
    u128: writer.addUint("u128", 16),
    ptr: writer.add({ kind: "ptr" }),
  };
  const struct = writer.add({
    kind: "struct",
    name: "s",
    sizeOrType: size,
    count: 1,
    kindFlag: member.flag,
    words: ["m", types[member.type ?? "u32"], member.offset],
  });
  return () => deriveFields(parseBtf(writer.toBytes()), struct, { segment: 0 });
}

Deno.test("members that do not fit their struct are refused", () => {
  const cases: [run: () => unknown, message: string][] = [
    [oneMember(4, { offset: 8 }), 'member "m" ends at bit 40, its struct at bit 32'],
    [oneMember(0, { offset: 0 }), 'member "m" ends at bit 32, its struct at bit 0'],
    [oneMember(64, { offset: 0xfffffff8 }), 'member "m" ends at bit 4294967320'],
    [oneMember(8, { offset: 3 }), 'member "m" is no bitfield but begins at bit 3'],
    [oneMember(8, { offset: 33 << 24, flag: true }), "bitfield of 33 bits in a int of 4 bytes"],
    [oneMember(8, { offset: 3 << 24, flag: true, type: "ptr" }), "bitfield of 3 bits in a ptr"],
    [oneMember(1, { offset: 2 << 24 | 7, flag: true }), 'member "m" ends at bit 9'],
    [oneMember(2 ** 28 + 1, { offset: 0 }), "a record of 268435457 bytes is absurd"],
  ];
  for (const [run, message] of cases) assertThrows(run, FormatError, message);
});

Deno.test("bitfields that no storage unit holds are unsupported", () => {
  const cases = [
    oneMember(9, { offset: 64 << 24 | 4, flag: true, type: "u64" }),
    oneMember(16, { offset: 70 << 24, flag: true, type: "u128" }),
    oneMember(3, { offset: 20 << 24, flag: true }),
  ];
  for (const run of cases) assertThrows(run, UnsupportedError, 'Field "m": bitfield of');
});

Deno.test("structs that contain themselves end with an error", () => {
  const self = new BtfWriter();
  self.addStruct("self", 8, [["again", 1, 0]]);
  const anonymous = new BtfWriter();
  anonymous.addStruct("self", 8, [["", 1, 0], ["", 1, 0]]);
  const wide = new BtfWriter();
  const word = wide.addUint("u64", 8);
  for (let level = 0; level < 25; level++) {
    const inner = level === 0 ? word : word + level;
    wide.addStruct(`level${level}`, 8, [["a", inner, 0], ["b", inner, 0]], "union");
  }
  const cases: [writer: BtfWriter, id: number, message: string][] = [
    [self, 1, "structs do not end after 32 levels"],
    [anonymous, 1, "structs do not end after 32 levels"],
    [wide, 26, "more than 8192 members in one record"],
  ];
  for (const [writer, id, message] of cases) {
    const btf = parseBtf(writer.toBytes());
    assertThrows(() => deriveFields(btf, id, { segment: 0 }), FormatError, message);
  }
});

Deno.test("two members of one name are refused, odd names are kept", () => {
  const twice = new BtfWriter();
  const word = twice.addUint("u32", 4);
  const struct = twice.addStruct("s", 8, [["a", word, 0], ["a", word, 32]]);
  assertThrows(
    () => deriveFields(parseBtf(twice.toBytes()), struct, { segment: 0 }),
    FormatError,
    'two members that make the field "a"',
  );
  const names = ["x];evil(", "a\u2028b", "constructor", "*/", "_raw", "toString"];
  const odd = new BtfWriter();
  const type = odd.addUint("__proto__", 4);
  const id = odd.addStruct("s", 4 * names.length, names.map((name, i) => [name, type, 32 * i]));
  const { fields } = deriveFields(parseBtf(odd.toBytes()), id, { segment: 0 });
  assertEquals(fields.map((field) => field.name), names);
  assertEquals(fields[0].tags, ["type:__proto__", "name:x];evil(", "src:ebpf"]);
});

Deno.test("a type without bytes has no fields: nothing is read behind the record", () => {
  const writer = new BtfWriter();
  const word = writer.addUint("u32", 4);
  const none = writer.add({ kind: "array", words: [word, word, 0] });
  const derived = deriveFields(parseBtf(writer.toBytes()), none, { segment: 0 });
  assertEquals(derived, { fields: [], sizeBytes: 0 });
});
