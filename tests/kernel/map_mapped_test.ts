/** Arrays with BPF_F_MMAPABLE are read from their memory. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BpfMap, type BpfObject } from "../../ffi/mod.ts";
import { MapReader } from "../../src/sources/mod.ts";
import { fixture, kernelTest, type Metrics, startGadget } from "./harness.ts";
import { findMap, loadObject, readEntries, runOf } from "./map_objects.ts";

const SIZE = 131072;
const SMALL_SIZE = 600;

kernelTest("a mapped array has the metrics of one that is read by system calls", async () => {
  await using gadget = await startGadget(await fixture("mapped"));
  const linesOf = (metrics: Metrics) =>
    Array.from(metrics, ([key, values]) => `${key} ${Object.values(values).join(" ")}`).join("\n");
  for (const [n, base] of [[1000, 7], [SIZE + 500, 3], [1, 2 ** 31]]) {
    await gadget.run("fill", [n, base]);
    const mapped = await gadget.metrics("mapped");
    assert(linesOf(mapped) === linesOf(await gadget.metrics("plain")));
    assertEquals(mapped.size, n === 1000 ? 1000 : SIZE);
  }
  assertEquals((await gadget.metrics("mapped")).get("0"), {
    mapped_count: 4n,
    mapped_total: BigInt(7 + 3 + (3 + SIZE) + 2 ** 31),
    mapped_last: BigInt(2 ** 31),
  });
});

/** Counts what reads maps by system calls, until disposed. */
function countSystemCalls(): Disposable & { count: number } {
  const { prototype } = BpfMap;
  const { lookup, lookupBatch, lookupBatchAside } = prototype;
  const calls = {
    count: 0,
    [Symbol.dispose]: () =>
      void Object.assign(prototype, { lookup, lookupBatch, lookupBatchAside }),
  };
  prototype.lookup = function (...args) {
    calls.count++;
    return lookup.apply(this, args);
  };
  prototype.lookupBatch = function (batch) {
    calls.count++;
    return lookupBatch.call(this, batch);
  };
  prototype.lookupBatchAside = function (batch) {
    calls.count++;
    return lookupBatchAside.call(this, batch);
  };
  return calls;
}

async function loadMapped(): Promise<BpfObject> {
  return await loadObject(await fixture("mapped"));
}

/** Value size in the map and in the mapping, offset of the counter and its size. */
const LAYOUTS = {
  odd: { stride: 16, offset: 4, size: 8, isMapped: true },
  narrow: { stride: 8, offset: 0, size: 4, isMapped: true },
  locked: { stride: 16, offset: 8, size: 8, isMapped: false },
};
for (const [name, { stride, offset, size, isMapped }] of Object.entries(LAYOUTS)) {
  kernelTest(
    `${name}: each element has its own value, ${isMapped ? "mapped" : "read"}`,
    async () => {
      using object = await loadMapped();
      const reader = new MapReader(findMap(object, `${name}_map`));
      // Element i is filled once for each of these that is above i.
      for (const n of [1, 200, 399]) await runOf(object, "fill", [n, 0]);
      using calls = countSystemCalls();
      const entries = await readEntries(reader, { remove: false });
      const counts = Array.from(entries.values(), (hex) => {
        const value = new DataView(Uint8Array.fromHex(hex).buffer);
        assertEquals(value.byteLength, stride);
        return size === 8
          ? Number(value.getBigUint64(offset, true))
          : value.getUint32(offset, true);
      });
      assertEquals(
        counts.sort((a, b) => b - a),
        [3, ...Array(199).fill(2), ...Array(199).fill(1), ...Array(SMALL_SIZE - 399).fill(0)],
      );
      assertEquals(calls.count === 0, isMapped);
      reader.close();
    },
  );
}

kernelTest("a mapped counter is never seen half written", async () => {
  using object = await loadMapped();
  const reader = new MapReader(findMap(object, "twins_map"));
  const last = new Uint32Array(SMALL_SIZE);
  let isWriting = true;
  const writing = runOf(object, "write", [20_000, 0]).finally(() => isWriting = false);
  let readsWhileWriting = 0;
  let changes = 0;
  while (isWriting) {
    await reader.readAll(({ values }) => {
      for (let index = 0; index < SMALL_SIZE; index++) {
        const low = values.getUint32(index * 8, true);
        assertEquals(values.getUint32(index * 8 + 4, true), low);
        if (low !== last[index]) changes++;
        last[index] = low;
      }
    }, { remove: false });
    readsWhileWriting++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writing;
  assert(readsWhileWriting > 10, `${readsWhileWriting} reads show nothing`);
  assert(changes > 1000, `${changes} changes show nothing`);
  reader.close();
});

kernelTest("a mapped array that was closed is not touched", async () => {
  using object = await loadMapped();
  const reader = new MapReader(findMap(object, "mapped_map"));
  reader.close();
  reader.close();
  await assertRejects(() => reader.readAll(() => {}, { remove: false }), Error, "after close");
});
