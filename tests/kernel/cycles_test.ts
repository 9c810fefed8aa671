/** Starting and stopping again and again costs nothing that stays. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { builtin, CHECKOUT, kernelFixture, kernelTest, startGadget, until } from "./harness.ts";
import { runTool } from "./oracles.ts";

const CYCLES = 200;
/** In each third of a measurement of memory. */
const MEMORY_CYCLES = 50;

/** What JavaScript keeps is known to the byte: these are 40 KiB and 160 KiB a cycle. */
const MAX_HEAP_GROWTH_BYTES = 2 << 20;
const MAX_BUFFER_GROWTH_BYTES = 8 << 20;
/** The allocator gives memory back when it likes. All verifier logs would be 800 MiB. */
const MAX_RESIDENT_GROWTH_BYTES = 160 << 20;

kernelTest("200 starts and stops leave no descriptors, programs or threads", async () => {
  const folder = await kernelFixture("rings");
  const descriptors: number[] = [];
  const threads: number[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const gadget = await startGadget(folder);
    await gadget.run("fill_both", [1000]);
    assertEquals((await gadget.metrics("left_events")).get("0")?.events, 500n);
    await gadget.running.stop();
    await gadget.running.stop();
    descriptors.push(countOf("fd"));
    threads.push(countOf("task"));
  }
  // The last ones against those after a few, when pools of threads have what they need. A thread
  // that has ended gives its descriptors back in its own time.
  await until("descriptors are back", () => countOf("fd") <= descriptors[5]);
  await until("threads have ended", () => countOf("task") <= threads[5]);
});

kernelTest("starts and stops take no more memory the more there are", async () => {
  await kernelFixture("rings");
  // In a process of its own: here the garbage of other tests would be measured too.
  const output = await runTool(Deno.execPath(), [
    "run",
    "--allow-all",
    "--v8-flags=--expose-gc",
    `${CHECKOUT}tests/kernel/start_stop_memory.ts`,
    String(MEMORY_CYCLES),
  ]);
  const [, second, third] = JSON.parse(output) as Deno.MemoryUsage[];
  assert(third.heapUsed - second.heapUsed < MAX_HEAP_GROWTH_BYTES, `heap: ${output}`);
  assert(third.external - second.external < MAX_BUFFER_GROWTH_BYTES, `buffers: ${output}`);
  assert(third.rss - second.rss < MAX_RESIDENT_GROWTH_BYTES, `resident: ${output}`);
});

kernelTest("programs at tracepoints are detached by every stop", async () => {
  const name = await builtin("trace_exec");
  for (let cycle = 0; cycle < 10; cycle++) {
    const gadget = await startGadget(name);
    assertEquals(gadget.running.programs.flatMap(({ links }) => links).length, 3);
    await gadget.running.stop();
  }
});

function countOf(what: "fd" | "task"): number {
  return Array.from(Deno.readDirSync(`/proc/self/${what}`)).length;
}
