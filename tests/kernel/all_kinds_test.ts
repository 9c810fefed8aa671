/** Every kind of field, as the kernel hands it over and as `-o json` shows it. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { fixture, kernelTest, type Row, startGadget, until } from "./harness.ts";

/** All bytes zero. */
const ZEROS: Row = {
  b: false,
  i8: 0,
  u8: 0,
  e8: "BYTE_NONE",
  i16: 0,
  u16: 0,
  i32: 0,
  u32: 0,
  i64: 0,
  u64: 0,
  i128: `0x${"0".repeat(32)}`,
  u128: `0x${"0".repeat(32)}`,
  f32: 0,
  f64: 0,
  text: "",
  bytes: [0, 0, 0, 0, 0, 0, 0, 0],
  words: [0, 0, 0, 0],
  shorts: [0, 0, 0, 0],
  flags: [false, false, false, false],
  choices: [0, 0],
  floats: [0, 0],
  e32: "SMALL_ZERO",
  es32: "0",
  e64: "0",
  es64: "0",
  set: "0",
  typedef_enum: "SMALL_ZERO",
  typedef_int: 0,
  qualified: 0,
  bits_3: 0,
  bits_11: 0,
  bits_signed_5: 0,
  bits_13: 0,
  bits_40: 0,
  bits_signed_24: 0,
  nested: { a: 0, b: 0, deeper: { c: 0 } },
  typedef_struct: { a: 0, b: 0, deeper: { c: 0 } },
  typedef_anonymous: { x: 0, y: 0 },
  anonymous_a: 0,
  anonymous_b: 0,
  overlaid: 0,
  overlaid_half: 0,
  number: { whole: 0, bytes: [0, 0, 0, 0] },
  packed: { a: 0, b: 0, c: 0, d: 0 },
  grid: [0, 0, 0, 0, 0, 0],
  structs: "0".repeat(32),
  pointer: 0,
  raw_raw: 0,
  raw: "SMALL_ZERO",
};

/** All bytes 0xff. JSON has no NaN. */
const ONES: Row = {
  b: true,
  i8: -1,
  u8: 255,
  e8: "BYTE_LAST",
  i16: -1,
  u16: 65535,
  i32: -1,
  u32: 4294967295,
  i64: -1,
  u64: "18446744073709551615",
  i128: `0x${"f".repeat(32)}`,
  u128: `0x${"f".repeat(32)}`,
  f32: null,
  f64: null,
  text: "\\xff".repeat(16),
  bytes: Array(8).fill(255),
  words: Array(4).fill(4294967295),
  shorts: Array(4).fill(-1),
  flags: Array(4).fill(true),
  choices: [4294967295, 4294967295],
  floats: [null, null],
  e32: "4294967295",
  es32: "SIGNED_MINUS_ONE",
  e64: "18446744073709551615",
  es64: "-1",
  set: "ACCESS_READ|ACCESS_WRITE|ACCESS_RUN|0xfffffff8",
  typedef_enum: "4294967295",
  typedef_int: -1,
  qualified: 4294967295,
  bits_3: 7,
  bits_11: 2047,
  bits_signed_5: -1,
  bits_13: 8191,
  bits_40: 1099511627775,
  bits_signed_24: -1,
  nested: { a: 65535, b: -1, deeper: { c: 4294967295 } },
  typedef_struct: { a: 65535, b: -1, deeper: { c: 4294967295 } },
  typedef_anonymous: { x: 4294967295, y: 4294967295 },
  anonymous_a: 4294967295,
  anonymous_b: -1,
  overlaid: "18446744073709551615",
  overlaid_half: 4294967295,
  number: { whole: 4294967295, bytes: [255, 255, 255, 255] },
  packed: { a: 255, b: 4294967295, c: "18446744073709551615", d: 65535 },
  grid: Array(6).fill(65535),
  structs: "f".repeat(32),
  pointer: "18446744073709551615",
  raw_raw: 4294967295,
  raw: "4294967295",
};

/** `fill_lowest` of the gadget. JSON has no infinity. */
const LOWEST: Row = {
  ...ZEROS,
  i8: -128,
  i16: -32768,
  i32: -2147483648,
  i64: "-9223372036854775808",
  i128: `0x8${"0".repeat(31)}`,
  f32: null,
  f64: null,
  shorts: [-32768, 0, 0, 0],
  es32: "SIGNED_LOW",
  es64: "WIDE_SIGNED_LOW",
  typedef_int: -2147483648,
  bits_signed_5: -16,
  bits_signed_24: -8388608,
  nested: { a: 0, b: -128, deeper: { c: 0 } },
  typedef_struct: { a: 0, b: -128, deeper: { c: 0 } },
  anonymous_b: -2147483648,
};

/** `fill_distinct` of the gadget. */
const DISTINCT: Row = {
  b: true,
  i8: 127,
  u8: 0xfe,
  e8: "BYTE_LAST",
  i16: 0x1234,
  u16: 0xfedc,
  i32: 0x12345678,
  u32: 0xfedcba98,
  i64: String(0x0123456789abcdefn),
  u64: String(0xfedcba9876543210n),
  i128: "0x00112233445566778899aabbccddeeff",
  u128: "0xffeeddccbbaa99887766554433221100",
  f32: 3.1415927,
  f64: 3.141592653589793,
  text: "sixteen letters!",
  bytes: [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17],
  words: [2748, 16779964, 33557180, 50334396],
  shorts: [1, 0, -1, -2],
  flags: [false, true, false, true],
  choices: [7, 0xfffffff0],
  floats: [1.5, -2.5],
  e32: "SMALL_SEVEN",
  es32: "SIGNED_FIVE",
  e64: "WIDE_TOP",
  es64: "WIDE_SIGNED_MINUS_TWO",
  set: "ACCESS_READ|ACCESS_RUN",
  typedef_enum: "SMALL_TOP",
  typedef_int: -42,
  qualified: 4242,
  bits_3: 5,
  bits_11: 1234,
  bits_signed_5: -7,
  bits_13: 8191,
  bits_40: 0xabcdef0123,
  bits_signed_24: -1234567,
  nested: { a: 1, b: -2, deeper: { c: 3 } },
  typedef_struct: { a: 4, b: -5, deeper: { c: 6 } },
  typedef_anonymous: { x: 7, y: 8 },
  anonymous_a: 9,
  anonymous_b: -10,
  overlaid: String(0x1122334455667788n),
  overlaid_half: 0x55667788,
  number: { whole: 0x04030201, bytes: [1, 2, 3, 4] },
  packed: { a: 11, b: 12, c: 13, d: 14 },
  grid: [100, 101, 102, 103, 104, 105],
  structs: "0f000000000000001000000000000000",
  pointer: String(0xffff888012345678n),
  raw_raw: 7,
  raw: "SMALL_SEVEN",
};

const RECORDS = [ZEROS, ONES, LOWEST, DISTINCT];

kernelTest("every kind of field of an event is decoded from the ring buffer", async () => {
  await using gadget = await startGadget(await fixture("all_kinds"), {
    metrics: false,
    show: ["events"],
  });
  await gadget.run("fill");
  // Without metrics the rows come through the pump, as in a terminal.
  await gadget.running.stop();
  assertEquals(gadget.rowsOf("events"), RECORDS);
});

kernelTest(
  "every kind of field of a map entry is decoded, and the fetch empties the map",
  async () => {
    await using gadget = await startGadget(await fixture("all_kinds"), {
      metrics: false,
      show: ["entries"],
      schedule: { intervalMs: 3_600_000 },
    });
    await gadget.run("fill");
    const map = await gadget.mapEntries("records");
    assertEquals(map.length, 4);
    // Flush on stop is one fetch.
    await gadget.running.stop();
    const fetches = gadget.fetches.get("entries") ?? [];
    assertEquals(fetches.length, 1);
    const byKey = [...fetches[0]].sort((a, b) => Number(a.n) - Number(b.n));
    assertEquals(byKey, RECORDS.map((record, n) => ({ n, ...record })));
  },
);

kernelTest("drained rows come once: the next fetch has only what came since", async () => {
  await using gadget = await startGadget(await fixture("all_kinds"), {
    metrics: false,
    show: ["entries"],
    schedule: { intervalMs: 20 },
  });
  const filled = () => (gadget.fetches.get("entries") ?? []).filter((rows) => rows.length > 0);
  await gadget.run("fill");
  await until("the first fill is shown", () => gadget.rowsOf("entries").length === 4);
  assertEquals(await gadget.mapEntries("records"), []);
  await gadget.run("fill");
  await until("the second fill is shown", () => gadget.rowsOf("entries").length === 8);
  await gadget.running.stop();
  assertEquals(filled().flat().length, 8);
});
