// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
// @ts-types="./_std_yaml.d.ts"
import { parse } from "@std/yaml";
import { UsageError } from "../../../src/errors.ts";
import { createRowView } from "../../../src/view/mod.ts";
import type { SampleMember } from "../enrich/sample_record.ts";
import { assertGolden } from "./_golden.ts";
import { OPEN_EVENTS, OPEN_MEMBERS, sampleEvents } from "./_sample_events.ts";

const OPEN = sampleEvents(OPEN_MEMBERS, OPEN_EVENTS);
const TTY = { widthColumns: () => 80, isTty: true };
const MODES = ["json", "jsonpretty", "yaml"] as const;

for (const mode of MODES) {
  Deno.test(`${mode} of events and of a fetch`, () => {
    const view = createRowView(mode, { ...OPEN, ...TTY });
    const events = OPEN.records.map((record) => view.row(record)).join("");
    assertGolden(`open.${mode}`, `${view.header()}${events}${view.rows(OPEN.records)}`);
  });
}

function jsonOf(members: readonly SampleMember[], selection?: string): string {
  const sample = sampleEvents(members, [{}]);
  return createRowView("json", { ...sample, ...TTY, selection }).row(sample.records[0]);
}

const VALUES: readonly [
  SampleMember["kind"],
  SampleMember["value"],
  json: string,
  arrayLength?: number,
][] = [
  ["uint64", 2n ** 53n - 1n, "9007199254740991"],
  ["uint64", 2n ** 53n, '"9007199254740992"'],
  ["uint64", 2n ** 64n - 1n, '"18446744073709551615"'],
  ["int64", 1n - 2n ** 53n, "-9007199254740991"],
  ["int64", -(2n ** 63n), '"-9223372036854775808"'],
  ["uint64", [1n, 2n ** 60n], '[1,"1152921504606846976"]', 2],
  ["bool", [true, false], "[true,false]", 2],
  ["uint128", 255n, '"0x000000000000000000000000000000ff"'],
  ["int8", -1, "-1"],
  ["bool", true, "true"],
  ["float32", 0.1, "0.1"],
  ["float32", [0.1, NaN], "[0.1,null]", 2],
  ["float64", 0.1, "0.1"],
  ["float64", NaN, "null"],
  ["float64", -Infinity, "null"],
];
for (const [kind, value, json, arrayLength = 0] of VALUES) {
  Deno.test(`${kind} ${value} is ${json} in JSON`, () => {
    assertEquals(jsonOf([{ name: "f", kind, value, arrayLength }]), `{"f":${json}}\n`);
  });
}

Deno.test("bytes are hex, names are kept whatever they are", () => {
  const bytes = { kind: "bytes", sizeBytes: 2, value: Uint8Array.of(1, 255) } as const;
  assertEquals(
    jsonOf([{ name: "__proto__", ...bytes }, { name: "constructor.__proto__", ...bytes }]),
    '{"__proto__":"01ff","constructor":{"__proto__":"01ff"}}\n',
  );
});

Deno.test("strings of strangers stay valid JSON and cannot control a terminal", () => {
  const text = '"\\\x1b\x7f\u009b\u2028\u202e';
  const json = jsonOf([{ name: "f", kind: "cstring", sizeBytes: 32, value: text }]);
  assertEquals(JSON.parse(json), { f: text });
  // deno-lint-ignore no-control-regex
  assertEquals(json.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/), null);
});

Deno.test("YAML shows no control characters and says what JSON says", () => {
  const member: SampleMember = { name: "f", kind: "cstring", sizeBytes: 32 };
  for (const text of ["\x1b[2J", "\x7f", "a\u009b", "\u202egpj", "a\u2066b", "é: #x"]) {
    const sample = sampleEvents([member], [{ f: text }]);
    const yaml = createRowView("yaml", { ...sample, ...TTY }).row(sample.records[0]);
    // deno-lint-ignore no-control-regex
    assertEquals(yaml.match(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]/), null);
    assertEquals({ ...parse(yaml) }, { f: text });
  }
});

Deno.test("random bytes in any field make valid JSON and YAML that say the same", () => {
  const kinds = [
    "cstring",
    "bytes",
    "float32",
    "float64",
    "uint64",
    "int64",
    "bool",
    "int128",
  ] as const;
  const members: SampleMember[] = kinds.map((kind) => ({
    name: `some.${kind}`,
    kind,
    ...(kind === "cstring" || kind === "bytes" ? { sizeBytes: 24 } : {}),
  }));
  const sample = sampleEvents(members, [{}]);
  const [record] = sample.records;
  const bytes = new Uint8Array(record.segments[0].buffer);
  const [json, yaml] = (["json", "yaml"] as const).map((mode) =>
    createRowView(mode, { ...sample, ...TTY })
  );
  let seed = 12345;
  for (let round = 0; round < 500; round++) {
    for (let i = 0; i < bytes.length; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      bytes[i] = seed >>> 16;
    }
    const line = json.row(record);
    assertEquals(line.indexOf("\n"), line.length - 1);
    assertEquals(JSON.stringify(parse(yaml.row(record))), JSON.stringify(JSON.parse(line)));
  }
});

const ENDPOINT: readonly SampleMember[] = [
  { name: "src", kind: "bytes", sizeBytes: 0, format: { type: "l4_endpoint" } },
  {
    name: "src.addr_raw",
    kind: "bytes",
    sizeBytes: 16,
    value: Uint8Array.of(127, 0, 0, 1),
    hidden: true,
  },
  {
    name: "src.addr",
    kind: "bytes",
    sizeBytes: 16,
    over: "src.addr_raw",
    format: { type: "ip_addr" },
  },
  { name: "src.addr_raw.v4", kind: "uint32", over: "src.addr_raw", hidden: true },
  { name: "src.port", kind: "uint16", value: 80, hidden: true },
  { name: "src.version", kind: "uint8", value: 4, hidden: true },
  { name: "secret", kind: "uint8", annotations: { "json.skip": "true" } },
];
const SELECTIONS: readonly [string | undefined, string][] = [
  [undefined, '{"src":{"addr":"127.0.0.1","port":80,"version":4}}\n'],
  ["src.port,secret", '{"src":{"port":80},"secret":0}\n'],
  ["-src", "{}\n"],
  ["src.addr_raw", '{"src":{"addr_raw":{"v4":16777343}}}\n'],
];
for (const [selection, json] of SELECTIONS) {
  Deno.test(`--fields ${selection} of an endpoint is ${json.trim()}`, () => {
    assertEquals(jsonOf(ENDPOINT, selection), json);
  });
}

Deno.test("objects refuse unknown fields as columns do", () => {
  assertThrows(() => jsonOf(ENDPOINT, "sorce"), UsageError, 'Unknown field "sorce"');
});

Deno.test("mode none shows nothing", () => {
  const view = createRowView("none", { ...OPEN, ...TTY });
  assertEquals(view.header() + view.row(OPEN.records[0]) + view.rows(OPEN.records), "");
});
