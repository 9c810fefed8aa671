/** Iterator data sources: rows of kernel objects and of a map's elements. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { fixture, kernelTest, startGadget } from "./harness.ts";

const ELEMENTS = 3000;

kernelTest("an iterator over tasks shows this process once, then is done", async () => {
  await using gadget = await startGadget(await fixture("iterators"), {
    show: ["tasks"],
    metrics: false,
  });
  await gadget.running.finished();
  const own = gadget.rowsOf("tasks").filter(({ tid }) => tid === Deno.pid);
  assertEquals(own.map(({ pid }) => pid), [Deno.pid]);
});

kernelTest("an iterator over a map gives gauges that leave with their element", async () => {
  await using gadget = await startGadget(await fixture("iterators"));
  await gadget.run("fill", [ELEMENTS]);
  const squares = await gadget.metrics("elements");
  assertEquals(squares.size, ELEMENTS);
  assertEquals(squares.get("2999"), { square: 2999n * 2999n });
  // What an earlier run said is gone; the same elements are there again, once.
  assertEquals((await gadget.metrics("elements")).size, ELEMENTS);
});

kernelTest("a <map>_max_entries constant sizes its map, and a parameter sets it", async () => {
  await using gadget = await startGadget(await fixture("iterators"), { params: { size: "16" } });
  await gadget.run("fill", [ELEMENTS]);
  const count = (await gadget.metrics("elements")).size;
  assert(count > 0 && count <= 16, `${count} elements in a map of 16`);
});

kernelTest("rows of an iterator come again at the interval that is asked for", async () => {
  await using gadget = await startGadget(await fixture("iterators"), {
    metrics: false,
    show: ["elements"],
    schedule: { intervalMs: 5, count: 3 },
  });
  await gadget.run("fill", [2]);
  await gadget.running.finished();
  assertEquals(gadget.fetches.get("elements")?.length, 3);
});
