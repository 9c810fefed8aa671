/** Maps of every type as data sources: read in place, drained, per CPU, full, evicting. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { possibleCpuCount } from "../../ffi/mod.ts";
import { needsTwoCpus, pinToCpu } from "./cpus.ts";
import {
  fixture,
  kernelFixture,
  kernelTest,
  type Metrics,
  readMetrics,
  type StartedGadget,
  startGadget,
  until,
} from "./harness.ts";
import { type DumpedEntry, runTool } from "./oracles.ts";

const HASHES = ["hash", "lru_hash", "percpu_hash", "lru_percpu_hash"] as const;
const ARRAYS = ["array", "percpu_array"] as const;
const ARRAY_SIZE = 64;

interface EntryValue {
  readonly count: bigint;
  readonly total: bigint;
  readonly last: bigint;
}

/** Label of the hashes of the gadget. */
function labelOf(id: number): string {
  return `${id}|key${id % 10}`;
}

function named(dataSource: string, value: EntryValue): Record<string, bigint> {
  return Object.fromEntries(
    Object.entries(value).map(([name, number]) => [`${dataSource}_${name}`, number]),
  );
}

for (const name of HASHES) {
  kernelTest(`${name}: counters follow the totals of a map that is read in place`, async () => {
    await using gadget = await startGadget(await fixture("maps"));
    await using _pinned = await pinToCpu(0);
    for (let fill = 1; fill <= 3; fill++) {
      await gadget.run("fill", [500, 1000]);
      const metrics = await gadget.metrics(name);
      assertEquals(metrics.size, 500);
      for (let id = 1000; id < 1500; id++) {
        const count = BigInt(fill);
        const value = { count, total: count * BigInt(id), last: BigInt(id) };
        assertEquals(metrics.get(labelOf(id)), named(name, value));
      }
    }
    assertEquals(metricsAsDumped(await gadget.metrics(name)), await dumpedHash(gadget, name));
  });

  kernelTest(
    `${name}: a key that is deleted leaves; when it returns, its counter goes on`,
    async () => {
      await using gadget = await startGadget(await fixture("maps"));
      const counts = (metrics: Metrics) =>
        [0, 1, 2].map((id) => metrics.get(labelOf(id))?.[`${name}_count`]);
      await gadget.run("fill", [3, 0]);
      await gadget.run("fill", [3, 0]);
      assertEquals(counts(await gadget.metrics(name)), [2n, 2n, 2n]);
      await deleteKey(await gadget.mapId(`${name}_map`), 1);
      assertEquals(counts(await gadget.metrics(name)), [2n, undefined, 2n]);
      await gadget.run("fill", [3, 0]);
      assertEquals(counts(await gadget.metrics(name)), [3n, 3n, 3n]);
      assertEquals(counts(await gadget.metrics(name)), [3n, 3n, 3n]);
    },
  );

  kernelTest(`${name}: a drained map gives increments and is empty afterwards`, async () => {
    await using gadget = await startGadget(await fixture("maps"), {
      annotate: [`${name}:ebpf.map.read=drain`],
      show: [name],
      schedule: { intervalMs: 20 },
    });
    for (let fill = 1; fill <= 2; fill++) {
      await gadget.run("fill", [100, 7]);
      await until(`fill ${fill} is shown`, () => gadget.rowsOf(name).length === 100 * fill);
      assertEquals(await gadget.mapEntries(`${name}_map`), []);
      const rows = gadget.rowsOf(name).slice(-100);
      assertEquals(new Set(rows.map(({ id }) => id)).size, 100);
      assertEquals(
        rows.map(({ count, total }) => [count, total]),
        rows.map(({ id }) => [1, id]),
      );
      const metrics = await gadget.metrics(name);
      assertEquals(metrics.size, 100);
      for (let id = 7; id < 107; id++) {
        const value = metrics.get(labelOf(id));
        assertEquals(value?.[`${name}_count`], BigInt(fill));
        assertEquals(value?.[`${name}_total`], BigInt(fill * id));
      }
    }
  });
}

for (const name of ARRAYS) {
  kernelTest(`${name}: used elements are series by index, unused ones are not`, async () => {
    await using gadget = await startGadget(await fixture("maps"));
    await using _pinned = await pinToCpu(0);
    await gadget.run("fill", [10, 1000]);
    assertEquals(
      [...(await gadget.metrics(name)).keys()],
      Array.from({ length: 10 }, (_, i) => String(i)),
    );
    await gadget.run("fill", [3 * ARRAY_SIZE, 5000]);
    const metrics = await gadget.metrics(name);
    for (let index = 0; index < ARRAY_SIZE; index++) {
      const first = index < 10 ? { count: 1, total: 1000 + index } : { count: 0, total: 0 };
      const ids = [0, 1, 2].map((round) => 5000 + index + round * ARRAY_SIZE);
      assertEquals(
        metrics.get(String(index)),
        named(name, {
          count: BigInt(first.count + 3),
          total: BigInt(first.total + ids[0] + ids[1] + ids[2]),
          last: BigInt(ids[2]),
        }),
      );
    }
  });
}

kernelTest("scalar keys and values of any width are series", async () => {
  await using gadget = await startGadget(await fixture("maps"));
  await gadget.run("fill", [300, 0]);
  const wide = await gadget.metrics("hash_scalar");
  const byte = await gadget.metrics("hash_byte");
  const array = await gadget.metrics("array_scalar");
  const percpu = await gadget.metrics("percpu_array_scalar");
  assertEquals(wide.size, 300);
  assertEquals(wide.get("299"), { hash_scalar_value: 299n });
  assertEquals(byte.size, 256);
  assertEquals(byte.get("43"), { hash_byte_value: 2n });
  assertEquals(byte.get("44"), { hash_byte_value: 1n });
  // Index 1 gets the ids 1, 65, 129, 193 and 257.
  assertEquals(array.get("1"), { array_scalar_value: 645n });
  assertEquals(percpu.get("1"), { percpu_array_scalar_value: 645n });
});

/** Fills on CPU 0 twice and on CPU 1 once, so that a key's values are [2, 1, 0 …]. */
async function fillUnevenly(gadget: StartedGadget): Promise<void> {
  for (const cpu of [0, 0, 1]) {
    await using _pinned = await pinToCpu(cpu);
    await gadget.run("fill", [20, 100]);
  }
}

const OTHER_CPUS = Math.max(0, possibleCpuCount() - 2);
const COUNTS = [2n, 1n, ...Array<bigint>(OTHER_CPUS).fill(0n)];
const REDUCTIONS = {
  sum: (values: bigint[]) => values.reduce((a, b) => a + b),
  max: (values: bigint[]) => values.reduce((a, b) => a > b ? a : b),
  min: (values: bigint[]) => values.reduce((a, b) => a < b ? a : b),
  avg: (values: bigint[]) => values.reduce((a, b) => a + b) / BigInt(values.length),
};

for (const [mode, reduce] of Object.entries(REDUCTIONS)) {
  for (const name of ["percpu_hash", "lru_percpu_hash", "percpu_array"] as const) {
    kernelTest(`${name}: the values of the CPUs become one by ${mode}`, async () => {
      await using gadget = await startGadget(await fixture("maps"), {
        annotate: [`${name}:ebpf.map.percpu=${mode}`],
      });
      await fillUnevenly(gadget);
      const metrics = await gadget.metrics(name);
      assertEquals(metrics.size, 20);
      for (let id = 100; id < 120; id++) {
        const wide = BigInt(id);
        const label = name === "percpu_array" ? String(id - 100) : labelOf(id);
        assertEquals(
          metrics.get(label),
          named(name, {
            count: reduce(COUNTS),
            total: reduce(COUNTS.map((count) => count * wide)),
            last: reduce(COUNTS.map((count) => count > 0n ? wide : 0n)),
          }),
        );
      }
    }, { probe: needsTwoCpus });
  }
}

for (const name of ["percpu_hash", "lru_percpu_hash", "percpu_array"] as const) {
  kernelTest(`${name}: label mode tells the CPUs apart`, async () => {
    await using gadget = await startGadget(await fixture("maps"), {
      annotate: [`${name}:ebpf.map.percpu=label,${name}.cpu:metrics.type=key`],
    });
    await fillUnevenly(gadget);
    const metrics = await gadget.metrics(name);
    for (let id = 100; id < 120; id++) {
      const key = name === "percpu_array" ? String(id - 100) : labelOf(id);
      for (const cpu of [0, 1]) {
        const count = COUNTS[cpu];
        const value = { count, total: count * BigInt(id), last: BigInt(id) };
        assertEquals(metrics.get(`${key}|${cpu}`), named(name, value), `CPU ${cpu}`);
      }
    }
  }, { probe: needsTwoCpus });
}

kernelTest("100,000 entries of a map become as many series", async () => {
  await using gadget = await startGadget(await fixture("maps"), {
    annotate: ["hash:metrics.limit=100000"],
  });
  await gadget.run("fill", [100_000, 0]);
  const metrics = await gadget.metrics("hash");
  assertEquals(metrics.size, 100_000);
  for (const id of [0, 1, 50_000, 99_999]) {
    assertEquals(metrics.get(labelOf(id))?.hash_total, BigInt(id));
  }
});

kernelTest("a gadget that stops while its maps are being read ends the read first", async () => {
  const gadget = await startGadget(await fixture("maps"), {
    annotate: ["hash:metrics.limit=100000"],
  });
  await gadget.run("fill", [100_000, 0]);
  const set = gadget.setOf("hash");
  const refreshed = gadget.running.refresh();
  await gadget.running.stop();
  assertEquals((await refreshed).size, 0);
  assertEquals(readMetrics(set).size, 100_000);
  assertEquals((await gadget.running.refresh()).size, 0, "nothing is read any more");
});

kernelTest("scrapes that meet read each total once", async () => {
  await using gadget = await startGadget(await fixture("maps"));
  await gadget.run("fill", [5000, 0]);
  const metrics = await Promise.all(Array.from({ length: 5 }, () => gadget.metrics("percpu_hash")));
  await gadget.run("fill", [5000, 0]);
  metrics.push(await gadget.metrics("percpu_hash"));
  assertEquals(
    metrics.map((each) => sumOf(each, "percpu_hash_count")),
    [5000n, 5000n, 5000n, 5000n, 5000n, 10_000n],
  );
});

kernelTest(
  "data sources share --metrics-limit, and each counts together what found no place",
  async () => {
    await using gadget = await startGadget(await fixture("maps"), { metricsLimit: 60 });
    for (let fill = 1; fill <= 2; fill++) {
      await gadget.run("fill", [25, 0]);
      const all = await Promise.all(HASHES.map((name) => gadget.metrics(name)));
      for (const [index, name] of HASHES.entries()) {
        assertEquals(sumOf(all[index], `${name}_count`), BigInt(25 * fill));
      }
      const places = gadget.running.snapshot().seriesPlaces;
      assertEquals(places, { taken: 60, limit: 60 });
      assert(all.some((metrics) => metrics.has("overflow")));
    }
  },
);

kernelTest("entries over the cardinality limit are counted together", async () => {
  await using gadget = await startGadget(await fixture("maps"), {
    annotate: ["hash:metrics.limit=10"],
  });
  for (let fill = 1; fill <= 2; fill++) {
    await gadget.run("fill", [25, 0]);
    const metrics = await gadget.metrics("hash");
    assertEquals(metrics.size, 11);
    assertEquals(metrics.get("overflow")?.hash_count, BigInt(15 * fill));
    assertEquals(sumOf(metrics, "hash_count"), BigInt(25 * fill));
    assertEquals(sumOf(metrics, "hash_total"), BigInt(300 * fill));
  }
});

kernelTest(
  "an LRU map that evicts all the time has neither two series for a key nor stale ones",
  async () => {
    await using gadget = await startGadget(await kernelFixture("small_maps"));
    for (let round = 0; round < 40; round++) {
      await gadget.run("fill", [50, round * 50]);
      const metrics = await gadget.metrics("lru");
      const dumped = await gadget.mapEntries("lru_map");
      const expected = dumped.map(({ key, value }) => [String(key), BigInt(value as number)]);
      assert(dumped.length > 0);
      assertEquals(
        Array.from(metrics, ([key, values]) => [key, values.count]).sort(),
        expected.sort(),
      );
    }
    const before = (await gadget.metrics("lru")).get("0");
    assertEquals(before, undefined, "key 0 must have been evicted long ago");
    await gadget.run("fill", [1, 0]);
    assertEquals((await gadget.metrics("lru")).get("0"), { count: 2n }, "its counter goes on");
  },
);

for (const name of ["hash", "percpu"] as const) {
  kernelTest(
    `${name}: keys that are idle leave a map that is nearly full, with exact sums`,
    async () => {
      await using gadget = await startGadget(await kernelFixture("small_maps"));
      // 40 idle keys, then 20 that stay busy: 60 of 64 is above 90 %.
      await gadget.run("fill", [40, 0]);
      await gadget.metrics(name);
      await gadget.run("fill", [20, 100]);
      const seen = await gadget.metrics(name);
      assertEquals(sumOf(seen, "count"), 60n);
      const left = (await gadget.mapEntries(`${name}_map`)).map(({ key }) => Number(key));
      assertEquals(left.length, 48, "reaping goes down to 75 %");
      assertEquals(left.filter((key) => key >= 100).length, 20, "busy keys stay");
      // New keys find room now; idle ones that come back go on counting.
      await gadget.run("fill", [12, 200]);
      const reaped = Array.from({ length: 40 }, (_, id) => id).filter((id) => !left.includes(id));
      await gadget.metrics(name);
      assertEquals((await gadget.metrics("refused")).get("0"), undefined);
      await gadget.run("fill", [1, reaped[0]]);
      assertEquals((await gadget.metrics(name)).get(String(reaped[0])), { count: 2n });
    },
  );

  kernelTest(`${name}: a reaped key that returns before the next read loses no count`, async () => {
    await using gadget = await startGadget(await kernelFixture("small_maps"));
    await gadget.run("fill", [60, 0]);
    await gadget.metrics(name);
    const left = (await gadget.mapEntries(`${name}_map`)).map(({ key }) => Number(key));
    assertEquals(left.length, 48);
    const reaped = Array.from({ length: 60 }, (_, id) => id).filter((id) => !left.includes(id));
    // As many again, or more, than it had when it was taken out.
    await gadget.run("fill", [1, reaped[0]]);
    for (let fill = 0; fill < 3; fill++) await gadget.run("fill", [1, reaped[1]]);
    const metrics = await gadget.metrics(name);
    assertEquals(metrics.get(String(reaped[0])), { count: 2n });
    assertEquals(metrics.get(String(reaped[1])), { count: 4n });
  });
}

kernelTest("percpu: one row per CPU does not make a half empty map look full", async () => {
  await using gadget = await startGadget(await kernelFixture("small_maps"), {
    annotate: ["percpu:ebpf.map.percpu=label,percpu.cpu:metrics.type=key"],
  });
  await gadget.run("fill", [40, 0]);
  await gadget.metrics("percpu");
  assertEquals((await gadget.mapEntries("percpu_map")).length, 40);
});

kernelTest("a map with room for every possible key is never reaped", async () => {
  await using gadget = await startGadget(await fixture("maps"));
  await gadget.run("fill", [256, 0]);
  for (let read = 0; read < 3; read++) assertEquals((await gadget.metrics("hash_byte")).size, 256);
});

function sumOf(metrics: Metrics, instrument: string): bigint {
  let sum = 0n;
  for (const values of metrics.values()) sum += values[instrument] as bigint;
  return sum;
}

/** Count and total per id, as bpftool reads them, added up over the CPUs. */
async function dumpedHash(
  gadget: StartedGadget,
  name: string,
): Promise<Map<string, [bigint, bigint]>> {
  const dumped = await gadget.mapEntries(`${name}_map`);
  return new Map(
    dumped.map((entry) => [
      labelOf((entry.key as { id: number }).id),
      [dumpedSum(entry, "count"), dumpedSum(entry, "total")] as [bigint, bigint],
    ]).sort() as [string, [bigint, bigint]][],
  );
}

function dumpedSum(entry: DumpedEntry, member: string): bigint {
  const values = entry.values?.map(({ value }) => value) ?? [entry.value];
  return values.reduce(
    (sum: bigint, value) => sum + BigInt((value as Record<string, number>)[member]),
    0n,
  );
}

function metricsAsDumped(metrics: Metrics): Map<string, [bigint, bigint]> {
  return new Map(
    Array.from(metrics, ([label, values]): [string, [bigint, bigint]] => {
      const [count, total] = Object.values(values) as bigint[];
      return [label, [count, total]];
    }).sort(),
  );
}

/** Deletes the key `{ id, "key<id>" }`. */
async function deleteKey(mapId: number, id: number): Promise<void> {
  const key = new Uint8Array(16);
  new DataView(key.buffer).setUint32(0, id, true);
  new TextEncoder().encodeInto(`key${id}`, key.subarray(4));
  const hex = Array.from(key, (byte) => byte.toString(16));
  await runTool("bpftool", ["map", "delete", "id", String(mapId), "key", "hex", ...hex]);
}
