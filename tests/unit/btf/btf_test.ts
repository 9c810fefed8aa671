// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { type Btf, type BtfType, parseBtf } from "../../../src/btf/mod.ts";
import { FormatError } from "../../../src/errors.ts";
import { BtfWriter } from "./btf_writer.ts";

const fixtures = new URL("../../fixtures/btf/", import.meta.url);

function readShapes(): Btf {
  return parseBtf(Deno.readFileSync(new URL("shapes.btf", fixtures)));
}

Deno.test("every type is read as bpftool reads it", () => {
  const dump = Deno.readTextFileSync(new URL("shapes.raw.txt", fixtures))
    // What the parser does not keep: kinds of forward declarations, linkage of functions.
    .replaceAll(/ fwd_kind=\w+| \(VAR '[^']*'\)|(?<=FUNC '.*) linkage=\w+/g, "")
    .replaceAll(/(val=-?\d+)U?LL/g, "$1")
    .replaceAll("ENUM64", "ENUM");
  const lines = readShapes().types.slice(1).map((type, i) => `[${i + 1}] ${bpftoolText(type)}`);
  assertEquals(lines.join("\n").split("\n"), dump.trimEnd().split("\n"));
});

function bpftoolText(type: BtfType): string {
  const name = `'${type.name === "" ? "(anon)" : type.name}'`;
  const head = `${type.kind.toUpperCase()} ${name}`;
  switch (type.kind) {
    case "int": {
      const encoding = type.encoding === "unsigned" ? "(none)" : type.encoding.toUpperCase();
      return `${head} size=${type.sizeBytes} bits_offset=${type.bitOffset} nr_bits=${type.bits}` +
        ` encoding=${encoding}`;
    }
    case "float":
      return `${head} size=${type.sizeBytes}`;
    case "array":
      return `${head} type_id=${type.element} index_type_id=${type.index} nr_elems=${type.length}`;
    case "struct":
    case "union":
      return [
        `${head} size=${type.sizeBytes} vlen=${type.members.length}`,
        ...type.members.map((member) =>
          `\t'${member.name === "" ? "(anon)" : member.name}' type_id=${member.type}` +
          ` bits_offset=${member.offsetBits}` +
          (member.bitSize > 0 ? ` bitfield_size=${member.bitSize}` : "")
        ),
      ].join("\n");
    case "enum":
      return [
        `${head} encoding=${type.signed ? "SIGNED" : "UNSIGNED"} size=${type.sizeBytes}` +
        ` vlen=${type.enumerators.length}`,
        ...type.enumerators.map((enumerator) => `\t'${enumerator.name}' val=${enumerator.value}`),
      ].join("\n");
    case "func_proto":
      return [
        `${head} ret_type_id=${type.result} vlen=${type.params.length}`,
        ...type.params.map((param) => `\t'${param.name}' type_id=${param.type}`),
      ].join("\n");
    case "var":
      return `${head} type_id=${type.type}, linkage=${type.linkage}`;
    case "datasec":
      return [
        `${head} size=${type.sizeBytes} vlen=${type.variables.length}`,
        ...type.variables.map((variable) =>
          `\ttype_id=${variable.type} offset=${variable.offsetBytes} size=${variable.sizeBytes}`
        ),
      ].join("\n");
    case "decl_tag":
      return `${head} type_id=${type.type} component_idx=${type.component}`;
    case "void":
    case "fwd":
      return head;
    default:
      return `${head} type_id=${type.type}`;
  }
}

Deno.test("findByName takes kind and name exactly", () => {
  const btf = readShapes();
  assertEquals(btf.type(btf.findByName("struct", "process") ?? 0).name, "process");
  assertEquals(btf.type(btf.findByName("var", "process") ?? 0).kind, "var");
  assertEquals(btf.type(btf.findByName("enum", "big") ?? 0).kind, "enum");
  assertEquals(btf.findByName("struct", "proces"), undefined);
  assertEquals(btf.findByName("struct", "process\0"), undefined);
  assertEquals(btf.findByName("union", "process"), undefined);
  assertEquals(btf.findByName("ptr", "x"), undefined);
});

Deno.test("resolve lists the names from the outermost typedef to the type itself", () => {
  const btf = readShapes();
  const { type, names } = btf.resolve(btf.findByName("typedef", "grand_total_t") ?? 0);
  assertEquals(type.kind, "int");
  assertEquals(names, [
    "grand_total_t",
    "total_t",
    "gadget_counter__u64",
    "__u64",
    "unsigned long long",
  ]);
});

Deno.test("sizeOf multiplies arrays and follows typedefs and variables", () => {
  const btf = readShapes();
  const cases = [
    ["struct", "scalars", 112],
    ["struct", "packed", 21],
    ["typedef", "point_t", 4],
    ["var", "array_value", 32],
    ["var", "text_key", 12],
    ["var", "gadget_tracer_one___two___three", 8],
    ["enum", "big", 8],
  ] as const;
  for (const [kind, name, size] of cases) {
    assertEquals(btf.sizeOf(btf.findByName(kind, name) ?? 0), size, name);
  }
});

Deno.test("loops and absurd sizes are errors that name the type", () => {
  const writer = new BtfWriter();
  const typedefLoop = writer.add({ kind: "typedef", name: "loop", sizeOrType: 2 });
  writer.add({ kind: "const", sizeOrType: 1 });
  const arrayLoop = writer.add({ kind: "array", words: [3, 3, 2] });
  const byte = writer.addUint("u8", 1);
  const inner = writer.add({ kind: "array", words: [byte, byte, 0xffffffff] });
  const huge = writer.add({ kind: "array", words: [inner, byte, 0xffffffff] });
  const fwd = writer.add({ kind: "fwd", name: "opaque" });
  const varLoop = writer.add({ kind: "var", name: "v", sizeOrType: 8, words: [1] });
  const btf = parseBtf(writer.toBytes());
  const cases: [number, string][] = [
    [typedefLoop, "BTF type 1 at byte 24: typedefs and qualifiers do not end"],
    [arrayLoop, "BTF type 3 at byte 48: arrays do not end"],
    [huge, "is absurd"],
    [fwd, "a fwd has no size"],
    [varLoop, "do not end"],
    [0, "a void has no size"],
    [99, "BTF has no type 99"],
    [-1, "BTF has no type -1"],
  ];
  for (const [id, message] of cases) assertThrows(() => btf.sizeOf(id), FormatError, message);
  assertEquals(btf.sizeOf(inner), 0xffffffff);
});

Deno.test("names are data, whatever they say", () => {
  const names = ["x];evil(", "a\u2028b", "__proto__", "constructor", "\ufeffbom", "*/", "a.b"];
  const writer = new BtfWriter();
  const ids = names.map((name) => writer.addUint(name, 4));
  const btf = parseBtf(writer.toBytes());
  assertEquals(ids.map((id) => btf.type(id).name), names);
  assertEquals(names.map((name) => btf.findByName("int", name)), ids);
  assertEquals(btf.findByName("int", "toString"), undefined);
});
