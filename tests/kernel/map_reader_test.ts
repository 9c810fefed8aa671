/** Reading maps in batches, with buckets that do not fit, and without batch calls. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type BatchEnd, type BpfMap, runProgram } from "../../ffi/mod.ts";
import { MapReader } from "../../src/sources/mod.ts";
import { fixture, kernelFixture, kernelTest } from "./harness.ts";
import { findMap, loadObject, readEntries, withoutBatchCalls } from "./map_objects.ts";

const BIG_ENTRIES = 32;
const BIG_VALUE_BYTES = 8 + 3 * 1024 * 1024;

for (const remove of [false, true]) {
  kernelTest(
    `buckets larger than a batch are read whole${remove ? " and taken out" : ""}`,
    async () => {
      using object = await loadObject(await kernelFixture("big_values"));
      const map = findMap(object, "big");
      const value = new Uint8Array(BIG_VALUE_BYTES);
      // 32 keys in 32 buckets: that no two share one has a chance of 1 in 5 million million.
      for (let key = 0; key < BIG_ENTRIES; key++) {
        new DataView(value.buffer).setUint32(0, key * 7, true);
        map.update(new Uint8Array(Uint32Array.of(key).buffer), value);
      }
      const reader = new MapReader(map);
      const ends = recordBatchEnds(map);
      assertEquals(await readNumbers(reader, { remove }), expectedNumbers(BIG_ENTRIES));
      assert(ends.includes("no-space"), "the batch was large enough: the test shows nothing");
      assertEquals(
        await readNumbers(reader, { remove }),
        expectedNumbers(remove ? 0 : BIG_ENTRIES),
      );
    },
  );
}

/** What the batch calls answer from now on. */
function recordBatchEnds(map: BpfMap): BatchEnd[] {
  const ends: BatchEnd[] = [];
  const lookup = map.lookupBatchAside.bind(map);
  map.lookupBatchAside = async (batch) => {
    const end = await lookup(batch);
    ends.push(end);
    return end;
  };
  return ends;
}

/** `[key, first word of the value]` of all entries, in order of the keys. */
async function readNumbers(
  reader: MapReader,
  options: { remove: boolean },
): Promise<[number, number][]> {
  const numbers: [number, number][] = [];
  const count = await reader.readAll((batch) => {
    for (let entry = 0; entry < batch.count; entry++) {
      numbers.push([
        batch.keys.getUint32(entry * reader.map.keySizeBytes, true),
        batch.values.getUint32(entry * reader.valueStrideBytes, true),
      ]);
    }
  }, options);
  assertEquals(count, numbers.length);
  return numbers.sort(([a], [b]) => a - b);
}

function expectedNumbers(count: number): [number, number][] {
  return Array.from({ length: count }, (_, key) => [key, key * 7]);
}

const MAPS = [
  "hash_map",
  "lru_hash_map",
  "percpu_hash_map",
  "lru_percpu_hash_map",
  "array_map",
  "percpu_array_map",
  "hash_scalar_map",
  "hash_byte_map",
];

for (const name of MAPS) {
  kernelTest(`${name}: single lookups read what batches read, bytes and all`, async () => {
    using object = await loadObject(await fixture("maps"));
    const program = object.programs().find((candidate) => candidate.name === "fill");
    const args = new Uint8Array(BigUint64Array.of(3000n, 17n).buffer);
    for (let fill = 0; fill < 3; fill++) await runProgram(program?.fd ?? -1, args);
    const map = findMap(object, name);
    const batched = await readEntries(new MapReader(map), { remove: false });
    assertEquals(batched.size, name.includes("array") ? 64 : name.includes("byte") ? 256 : 3000);
    using _without = withoutBatchCalls();
    const single = new MapReader(map);
    assertEquals(await readEntries(single, { remove: false }), batched);
    if (name.includes("array")) return;
    assertEquals(
      await readEntries(single, { remove: true }),
      batched,
      "single lookups that remove",
    );
    assertEquals((await readEntries(single, { remove: false })).size, 0);
  });
}
