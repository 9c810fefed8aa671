// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Field, TextFormat } from "../../../src/decode/mod.ts";
import { createFormatters } from "../../../src/enrich/mod.ts";
import {
  compileIngest,
  createMetricSet,
  interpretIngest,
  OVERFLOW_SERIES,
  SeriesStore,
} from "../../../src/metrics/mod.ts";
import { makeField } from "../decode/fields.ts";
import { sampleEnvironment } from "../enrich/sample_environment.ts";
import { rowsOf } from "./batches.ts";
import { numberField, planOf, seriesOf, valueRole, words64 } from "./plans.ts";

/** Labels of the series that a record of 32 bytes makes. */
function labelsOf(
  keys: readonly Field[],
  record: Uint8Array,
  fields: readonly Field[] = keys,
): string[] {
  const key = new Uint8Array(32);
  key.set(record);
  const plan = planOf({ keys, fields, recordSizeBytes: 32, valueSizeBytes: 32 });
  const store = new SeriesStore(plan);
  const formatters = createFormatters(fields, sampleEnvironment());
  interpretIngest(plan, { store, skipZeroEntries: false, formatters })
    .rows(rowsOf([{ key, value: key }]));
  return createMetricSet({ scope: "g/ds", plan, memory: store.memory, formatters }).labelValues(1);
}

const STATES: TextFormat = {
  type: "enum",
  enumerators: [{ name: "IDLE", value: 0n }, { name: "BUSY", value: 3n }],
  isSet: false,
  separator: "|",
};
const FLOAT_TENTH = new Uint8Array(new Float32Array([0.1]).buffer);

const LABELS: readonly {
  readonly what: string;
  readonly key: Parameters<typeof makeField>[0];
  readonly record: Uint8Array;
  readonly label: string;
}[] = [
  {
    what: "64 bits, exact",
    key: { kind: "uint64", sizeBytes: 8 },
    record: words64(2n ** 64n - 1n),
    label: "18446744073709551615",
  },
  {
    what: "signed 64 bits, exact",
    key: { kind: "int64", sizeBytes: 8 },
    record: words64(-(2n ** 53n) - 1n),
    label: "-9007199254740993",
  },
  {
    what: "128 bits",
    key: { kind: "uint128", sizeBytes: 16 },
    record: words64(1n, 2n),
    label: "0x00000000000000020000000000000001",
  },
  {
    what: "text up to its NUL",
    key: { kind: "cstring", sizeBytes: 6 },
    record: new TextEncoder().encode("ab\0cd"),
    label: "ab",
  },
  {
    what: "bytes that are no text",
    key: { kind: "cstring", sizeBytes: 3 },
    record: Uint8Array.of(97, 0xff, 98),
    label: "a\\xffb",
  },
  {
    what: "raw bytes",
    key: { kind: "bytes", sizeBytes: 3 },
    record: Uint8Array.of(1, 0, 255),
    label: "0100ff",
  },
  {
    what: "a list",
    key: { kind: "int32", sizeBytes: 8, arrayLength: 2 },
    record: words64(0xffff_ffff_0000_0002n),
    label: "2,-1",
  },
  { what: "a single", key: { kind: "float32", sizeBytes: 4 }, record: FLOAT_TENTH, label: "0.1" },
  {
    what: "another NaN than the usual one",
    key: { kind: "float64", sizeBytes: 8 },
    record: words64(0x7ff8_0000_0000_0001n),
    label: "NaN:010000000000f87f",
  },
  {
    what: "the usual NaN",
    key: { kind: "float64", sizeBytes: 8 },
    record: words64(0x7ff8_0000_0000_0000n),
    label: "NaN",
  },
  {
    what: "zero with a sign",
    key: { kind: "float32", sizeBytes: 8, arrayLength: 2 },
    record: words64(0x8000_0000_3f80_0000n),
    label: "1,0:0000803f00000080",
  },
  {
    what: "bools that are neither 0 nor 1",
    key: { kind: "bool", sizeBytes: 2, arrayLength: 2 },
    record: Uint8Array.of(1, 2),
    label: "true,true:0102",
  },
  { what: "a bool", key: { kind: "bool", sizeBytes: 1 }, record: Uint8Array.of(2), label: "true" },
  {
    what: "a bitfield",
    key: { kind: "int32", sizeBytes: 4, bitOffset: 3, bitSize: 5 },
    record: Uint8Array.of(0b1111_0111),
    label: "-2",
  },
  {
    what: "a wide bitfield",
    key: { kind: "uint64", sizeBytes: 8, bitOffset: 4, bitSize: 40 },
    record: words64(0xf_abcd_ef01_2345n << 4n | 0xfn),
    label: String(0xcd_ef01_2345n),
  },
  {
    what: "an enumerator",
    key: { kind: "uint32", sizeBytes: 4, offsetBytes: 8, format: STATES },
    record: words64(0n, 3n),
    label: "BUSY",
  },
  {
    what: "an enumerator of a bitfield",
    key: { kind: "uint8", sizeBytes: 1, bitOffset: 2, bitSize: 2, format: STATES },
    record: Uint8Array.of(0b0000_1101),
    label: "BUSY",
  },
  {
    what: "a size, which people see rounded",
    key: { kind: "uint64", sizeBytes: 8, format: { type: "bytes" } },
    record: words64(1537n),
    label: "1537",
  },
  {
    what: "a time whose text is the hour",
    key: { kind: "uint64", sizeBytes: 8, format: { type: "timestamp", layout: "15" } },
    record: words64(1537n),
    label: "1537",
  },
  {
    what: "an errno",
    key: { kind: "int32", sizeBytes: 4, offsetBytes: 4, format: { type: "errno" } },
    record: words64(0xffff_fffe_0000_0000n),
    label: "ENOENT",
  },
];
for (const segment of [0, 1] as const) {
  for (const { what, key, record, label } of LABELS) {
    Deno.test(`label of ${what} in segment ${segment}`, () => {
      assertEquals(labelsOf([makeField({ ...key, segment })], record), [label]);
    });
  }
}

/** `struct gadget_l4endpoint_t`, as field derivation lays it out, behind 4 other bytes. */
const ENDPOINT = {
  whole: endpointMember("dst", { sizeBytes: 21, format: { type: "l4_endpoint" } }),
  raw: endpointMember("dst.addr_raw", { sizeBytes: 16 }),
  address: endpointMember("dst.addr", { sizeBytes: 16, format: { type: "ip_addr" } }),
  port: endpointMember("dst.port", { kind: "uint16", sizeBytes: 2, offsetBytes: 20 }),
  version: endpointMember("dst.version", { kind: "uint8", sizeBytes: 1, offsetBytes: 24 }),
};

function endpointMember(name: string, parts: Partial<Field> & { sizeBytes: number }): Field {
  const parent = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  return makeField({ name, kind: "bytes", offsetBytes: 4, parent, ...parts });
}

/** 127.0.0.1 or, with the same bytes, 7f00:1:: */
function endpointRecord(version: number): Uint8Array {
  const record = new Uint8Array(25);
  record.set([127, 0, 0, 1], 4);
  new DataView(record.buffer).setUint16(20, 8080, true);
  record[24] = version;
  return record;
}

const ENDPOINT_LABELS: readonly [readonly Field[], number, readonly string[]][] = [
  [[ENDPOINT.whole], 4, ["127.0.0.1:8080"]],
  [[ENDPOINT.address], 4, ["127.0.0.1"]],
  [[ENDPOINT.address], 6, ["7f00:1::"]],
  [[ENDPOINT.port, ENDPOINT.address], 4, ["8080", "127.0.0.1"]],
];
for (const [keys, version, labels] of ENDPOINT_LABELS) {
  const names = keys.map(({ name }) => name).join(", ");
  Deno.test(`label of ${names} of IPv${version}`, () => {
    const fields = Object.values(ENDPOINT);
    assertEquals(labelsOf(keys, endpointRecord(version), fields), labels);
  });
}

Deno.test("labels come in the order of the keys, and not from what other series hold", () => {
  const keys = [numberField("b", "uint32", { offsetBytes: 4 }), numberField("a", "uint32")];
  assertEquals(labelsOf(keys, words64(7n << 32n | 3n)), ["7", "3"]);
});

Deno.test("an exemplar is the field, value and time of the first event of a series in a batch", () => {
  const keys = [numberField("id", "uint32")];
  const state = makeField({
    name: "state",
    kind: "int32",
    sizeBytes: 4,
    offsetBytes: 4,
    format: STATES,
  });
  const size = numberField("size", "int64", { offsetBytes: 8 });
  const plan = planOf({
    keys,
    fields: [...keys, state, size],
    values: [
      valueRole(size, "counter"),
      valueRole(size, "gauge"),
      valueRole(size, "histogram", { boundaries: [1] }),
    ],
    implicitCounter: { name: "events", description: "" },
    exemplar: { field: state, label: "st" },
  });
  const formatters = createFormatters([state], sampleEnvironment());
  const store = new SeriesStore(plan);
  const ingest = compileIngest(plan, {
    store,
    formatters,
    skipZeroEntries: false,
    atomicHeaders: false,
  });
  const set = createMetricSet({ scope: "g/ds", plan, memory: store.memory, formatters });
  const event = (id: bigint, state: bigint, size: bigint) => words64(state << 32n | id, size);
  store.wallMs = 1_000;
  ingest.rows(rowsOf([event(1n, 0n, 5n), event(2n, 3n, 6n)].map((key) => ({ key }))));
  store.wallMs = 2_000;
  ingest.rows(rowsOf([event(1n, 3n, 7n), event(1n, 0n, 8n)].map((key) => ({ key }))));
  const told = (series: number) =>
    set.instruments.map(({ exemplar }) => {
      const found = exemplar?.(series);
      return found && `${found.label}=${found.text} ${found.value} at ${found.unixMs}`;
    });
  const latest = (text: string) => (value: number) => `st=${text.replace("#", String(value))}`;
  const one = latest("BUSY # at 2000");
  assertEquals(told(1), [one(7), undefined, one(7), one(1)]);
  const other = latest("BUSY # at 1000");
  assertEquals(told(2), [other(6), undefined, other(6), other(1)]);
  assertEquals(told(OVERFLOW_SERIES), [undefined, undefined, undefined, undefined]);
  // While one is being written there is none.
  const at = 2 * store.memory.layout.strideCells + (store.memory.layout.exemplar?.versionWord ?? 0);
  store.memory.words[at]++;
  assertEquals(told(1)[0], undefined);
});

Deno.test("a set shows the store as it is now", () => {
  const keys = [numberField("pid", "uint32")];
  const values = [valueRole(numberField("size", "int64"), "gauge")];
  const plan = planOf({ keys, values, limit: 1 });
  const store = new SeriesStore(plan);
  const set = createMetricSet({ scope: "g/ds", plan, memory: store.memory, formatters: new Map() });
  const state = () => Array.from({ length: set.seriesCount }, (_, series) => set.isLive(series));
  assertEquals([set.scope, set.labelNames, state()], ["g/ds", ["pid"], [false]]);
  seriesOf(store, 5);
  seriesOf(store, 6);
  assertEquals([state(), set.isOverflow(OVERFLOW_SERIES), set.isOverflow(1)], [
    [true, true],
    true,
    false,
  ]);
  assertEquals(set.labelValues(1), ["5"]);
  store.kill(1);
  seriesOf(store, 7);
  assertEquals([set.labelValues(1), set.generation(1)], [["7"], 2]);
  const column = set.instruments[0].column();
  assertEquals([column.kind, column.kind === "integer" && column.signed], ["integer", true]);
});
