// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { FormatError, UsageError } from "../../../src/errors.ts";
import { encodeParam, type ParamSpec, parseMetadata } from "../../../src/gadget/mod.ts";
import { buildParams } from "../../../src/gadget/params.ts";
import { ObjectBuilder } from "./_object_builder.ts";

function build(object: ObjectBuilder, variables: string[], yaml = "") {
  return buildParams(object.build(), { variables, metadata: parseMetadata(yaml) });
}

/** `name` is a type name of the builder, or made by `make`. */
function oneParam(
  name: string,
  bytes: number[],
  make: (object: ObjectBuilder) => number = (object) => object.type(name),
): ParamSpec {
  const object = new ObjectBuilder();
  object.param("x", make(object), bytes);
  return build(object, ["x"]).params[0];
}

const enumOf = (object: ObjectBuilder) => object.enum("mode", { OFF: 0, SLOW: 3 });
const commOf = (object: ObjectBuilder) => object.array(object.type("char"), 8);
const endpointOf = (object: ObjectBuilder) =>
  object.struct("gadget_l3endpoint_t", {
    addr_raw: object.array(object.type("__u8"), 16),
    version: object.type("__u32"),
  });

const DEFAULTS: { type: string; bytes: number[]; expected: string; make?: typeof enumOf }[] = [
  { type: "__u32", bytes: [1, 2, 0, 0], expected: "513" },
  {
    type: "__u64",
    bytes: [255, 255, 255, 255, 255, 255, 255, 255],
    expected: "18446744073709551615",
  },
  { type: "__s16", bytes: [0xfe, 0xff], expected: "-2" },
  { type: "bool", bytes: [1], expected: "true" },
  { type: "double", bytes: [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], expected: "1.5" },
  { type: "char[8]", bytes: [98, 97, 115, 104], expected: "bash", make: commOf },
  { type: "enum", bytes: [3, 0, 0, 0], expected: "SLOW", make: enumOf },
  { type: "enum", bytes: [9, 0, 0, 0], expected: "9", make: enumOf },
  { type: "endpoint", bytes: [], expected: "0.0.0.0", make: endpointOf },
];
for (const { type, bytes, expected, make } of DEFAULTS) {
  Deno.test(`the default of a ${type} of bytes [${bytes}] is ${expected}, and encodes to them`, () => {
    const param = oneParam(type, bytes, make);
    assertEquals(param.defaultValue, expected);
    const padded = [...bytes, ...new Array<number>(param.sizeBytes - bytes.length).fill(0)];
    if (type === "endpoint") padded[16] = 4;
    assertEquals([...encodeParam(param, expected)], padded);
  });
}

const ENCODED: { type: string; text: string; bytes: number[]; make?: typeof enumOf }[] = [
  { type: "__u8", text: "255", bytes: [255] },
  { type: "__s8", text: "-128", bytes: [128] },
  { type: "__u32", text: "0xDEADBEEF", bytes: [0xef, 0xbe, 0xad, 0xde] },
  { type: "__s64", text: "-1", bytes: [255, 255, 255, 255, 255, 255, 255, 255] },
  { type: "bool", text: "TRUE", bytes: [1] },
  { type: "bool", text: "0", bytes: [0] },
  { type: "double", text: "-1.5e0", bytes: [0, 0, 0, 0, 0, 0, 0xf8, 0xbf] },
  { type: "char[8]", text: "é", bytes: [0xc3, 0xa9, 0, 0, 0, 0, 0, 0], make: commOf },
  { type: "char[8]", text: "", bytes: [0, 0, 0, 0, 0, 0, 0, 0], make: commOf },
  { type: "enum", text: "SLOW", bytes: [3, 0, 0, 0], make: enumOf },
  {
    type: "endpoint",
    text: "10.1.2.3",
    bytes: [10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0],
    make: endpointOf,
  },
  {
    type: "endpoint",
    text: "2001:db8::1",
    bytes: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0],
    make: endpointOf,
  },
  {
    type: "endpoint",
    text: "::ffff:1.2.3.4",
    bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4, 6, 0, 0, 0],
    make: endpointOf,
  },
];
for (const { type, text, bytes, make } of ENCODED) {
  Deno.test(`a ${type} takes ${JSON.stringify(text)}`, () => {
    assertEquals([...encodeParam(oneParam(type, [], make), text)], bytes);
  });
}

const REFUSED: { type: string; text: string; expected: string; make?: typeof enumOf }[] = [
  { type: "__u8", text: "256", expected: "an integer from 0 to 255" },
  { type: "__u8", text: "-1", expected: "an integer from 0 to 255" },
  { type: "__s8", text: "-129", expected: "an integer from -128 to 127" },
  {
    type: "__u64",
    text: "18446744073709551616",
    expected: "an integer from 0 to 18446744073709551615",
  },
  { type: "__u32", text: "abc", expected: "an integer from 0 to 4294967295" },
  { type: "__u32", text: "1.5", expected: "an integer from 0 to 4294967295" },
  { type: "__u32", text: "", expected: "an integer from 0 to 4294967295" },
  { type: "bool", text: "maybe", expected: "true or false" },
  { type: "double", text: "NaN", expected: "a number" },
  { type: "double", text: " ", expected: "a number" },
  {
    type: "char[8]",
    text: "12345678",
    expected: "at most 7 bytes of text without NUL",
    make: commOf,
  },
  {
    type: "enum",
    text: "SLOWW",
    expected: "a name or an integer from 0 to 4294967295",
    make: enumOf,
  },
  { type: "endpoint", text: "1.2.3", expected: "an IPv4 or IPv6 address", make: endpointOf },
  { type: "endpoint", text: "256.1.1.1", expected: "an IPv4 or IPv6 address", make: endpointOf },
  { type: "endpoint", text: "1::2::3", expected: "an IPv4 or IPv6 address", make: endpointOf },
  {
    type: "endpoint",
    text: "1:2:3:4:5:6:7",
    expected: "an IPv4 or IPv6 address",
    make: endpointOf,
  },
];
for (const { type, text, expected, make } of REFUSED) {
  Deno.test(`a ${type} refuses ${JSON.stringify(text)}`, () => {
    const error = assertThrows(() => encodeParam(oneParam(type, [], make), text), UsageError);
    assertEquals(error.message, `Cannot set --x to ${JSON.stringify(text)}: expected ${expected}`);
  });
}

Deno.test("well-known variables get their flags, gadget.yaml names all others", () => {
  const object = new ObjectBuilder();
  object.param("targ_pid", object.type("__u32"));
  object.param("min_us", object.type("__u64"));
  object.param("plain", object.type("bool"));
  const { params } = build(
    object,
    ["targ_pid", "min_us", "plain"],
    "params: {ebpf: {min_us: {key: min, description: shortest, defaultValue: 10}}}",
  );
  assertEquals(
    params.map(({ key, description, defaultValue }) => [key, description, defaultValue]),
    [["pid", "", "0"], ["min", "shortest", "10"], ["plain", "", "false"]],
  );
});

Deno.test("defaults: object < gadget.yaml < paramDefaults", () => {
  const object = () => {
    const builder = new ObjectBuilder();
    return builder.param("min_us", builder.type("__u64"), [7]);
  };
  const yaml = "params: {ebpf: {min_us: {key: Min, defaultValue: 8}}}\n";
  const defaults =
    "paramDefaults: {operator.oci.ebpf.min: 9, operator.oci.ebpf.map-fetch-interval: 5s}";
  assertEquals(build(object(), ["min_us"]).params[0].defaultValue, "7");
  assertEquals(build(object(), ["min_us"], yaml).params[0].defaultValue, "8");
  const built = build(object(), ["min_us"], yaml + defaults);
  assertEquals(built.params[0].defaultValue, "9");
  assertEquals(built.flagDefaults, { "map-fetch-interval": "5s" });
});

const REFUSED_OBJECTS: {
  name: string;
  make: () => ObjectBuilder;
  yaml?: string;
  message: string;
}[] = [
  {
    name: "a struct",
    make: () => {
      const object = new ObjectBuilder();
      return object.param("x", object.struct("s", { a: object.type("int") }));
    },
    message: 'Parameter "x" is of kind struct, which no flag can set',
  },
  {
    name: "an array of numbers",
    make: () => {
      const object = new ObjectBuilder();
      return object.param("x", object.array(object.type("__u32"), 4));
    },
    message: 'Parameter "x" is of kind array, which no flag can set',
  },
  {
    name: "an ordinary variable",
    make: () => {
      const object = new ObjectBuilder();
      object.variable("x", object.type("__u32"));
      return object;
    },
    message: 'Parameter "x" lies in section "", expected ".rodata"',
  },
  {
    name: "a bad default",
    make: () => {
      const object = new ObjectBuilder();
      return object.param("x", object.type("__u8"));
    },
    yaml: "params:\n  ebpf:\n    x:\n      defaultValue: 300\n",
    message:
      'Wrong default in gadget.yaml:3 (params.ebpf.x): Cannot set --x to "300": expected an integer from 0 to 255',
  },
  {
    name: "an entry without variable",
    make: () => {
      const object = new ObjectBuilder();
      return object.param("x", object.type("__u8"));
    },
    yaml: "params:\n  ebpf:\n    xx:\n      key: y\n",
    message: 'Unknown parameter in gadget.yaml:3 (params.ebpf.xx): the object has no variable "xx"',
  },
];
for (const { name, make, yaml, message } of REFUSED_OBJECTS) {
  Deno.test(`refused as a parameter: ${name}`, () => {
    const error = assertThrows(() => build(make(), ["x"], yaml), FormatError);
    assertEquals(error.message, message);
  });
}

Deno.test("two parameters of one flag are refused", () => {
  const object = new ObjectBuilder();
  object.param("a", object.type("__u8")).param("b", object.type("__u8"));
  const error = assertThrows(
    () => build(object, ["a", "b"], "params: {ebpf: {a: {key: pid}, b: {key: pid}}}"),
    FormatError,
  );
  assertEquals(error.message, 'Parameters "a" and "b" both have the flag --pid');
});

Deno.test("an entry for a variable without GADGET_PARAM is warned of", () => {
  const object = new ObjectBuilder();
  object.variable("targ_single", object.type("bool"));
  const { params, warnings } = build(
    object,
    [],
    "params:\n  ebpf:\n    targ_single: {key: single}\n",
  );
  assertEquals(params, []);
  assertEquals(warnings, [
    'gadget.yaml:3 (params.ebpf.targ_single): variable "targ_single" is no parameter, since the ' +
    "object lacks GADGET_PARAM(targ_single); ignored",
  ]);
});
