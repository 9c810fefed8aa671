/** Odd structs with random bytes: kmeter and bpftool must read the same numbers. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { kernelFixture, kernelTest, startGadget } from "./harness.ts";
import { type DumpedEntry, runTool } from "./oracles.ts";

const KEY_BYTES = 7;
const VALUE_BYTES = 162;
const ENTRIES = 32;
/** Members of key and value that bpftool prints, arrays taken apart. */
const NUMBERS_PER_ENTRY = 45;

kernelTest("random bytes in odd structs read the same as bpftool reads them by BTF", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  const randomByte = byteGenerator(seed);
  await using gadget = await startGadget(await kernelFixture("odd_structs"), {
    metrics: false,
    show: ["odd"],
    schedule: { intervalMs: 3_600_000 },
  });
  const id = String(await gadget.mapId("odd_map"));
  for (let entry = 0; entry < ENTRIES; entry++) {
    // Different keys for certain: the first byte is the entry's number.
    const key = [entry, ...randomBytes(KEY_BYTES - 1, randomByte)];
    const value = randomBytes(VALUE_BYTES, randomByte);
    const hex = (bytes: number[]) => bytes.map((byte) => byte.toString(16));
    await runTool(
      "bpftool",
      ["map", "update", "id", id, "key", "hex", ...hex(key), "value", "hex", ...hex(value)],
    );
  }
  const dumped = await gadget.mapEntries("odd_map");
  await gadget.running.stop();
  const expected = new Map(dumped.map((entry) => [entryNumber(entry), numbersOf(entry)]));
  const rows = gadget.rowsOf("odd");
  assertEquals(rows.length, ENTRIES, `seed ${seed}`);
  for (const row of rows) {
    const wanted = expected.get(Number(row.a));
    assert(wanted !== undefined, `seed ${seed}: no entry ${row.a}`);
    assertEquals(wanted.size, NUMBERS_PER_ENTRY, `seed ${seed}`);
    assertEquals(sorted(flatten(row, "", new Map())), sorted(wanted), `seed ${seed}`);
  }
});

function entryNumber(entry: DumpedEntry): number {
  return (entry.key as { a: number }).a;
}

function numbersOf({ key, value }: DumpedEntry): Map<string, bigint> {
  return flatten(value, "", flatten(key, "", new Map()));
}

/** Path → number. Members without name belong to their parent; arrays of arrays are one array. */
function flatten(value: unknown, path: string, into: Map<string, bigint>): Map<string, bigint> {
  if (Array.isArray(value)) {
    value.flat().forEach((element, index) => flatten(element, `${path}[${index}]`, into));
  } else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      flatten(member, [path, name].filter((part) => part !== "").join("."), into);
    }
  } else {
    into.set(path, BigInt(value as string | number));
  }
  return into;
}

function sorted(numbers: Map<string, bigint>): [string, bigint][] {
  return [...numbers].sort(([a], [b]) => a < b ? -1 : 1);
}

function randomBytes(count: number, next: () => number): number[] {
  return Array.from({ length: count }, next);
}

/** xorshift32: the same bytes for the same seed. */
function byteGenerator(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  };
}
