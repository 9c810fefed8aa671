/** Starting and stopping again and again costs nothing that stays. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { builtin, CHECKOUT, kernelFixture, kernelTest, startGadget } from "./harness.ts";
import { runTool } from "./oracles.ts";

const CYCLES = 50;

/** A leaked ring mapping would be 100 MiB in as many cycles, a leaked verifier log 800 MiB. */
const MAX_GROWTH_BYTES = 32 << 20;

kernelTest("starts and stops leave neither descriptors nor programs", async () => {
  const folder = await kernelFixture("rings");
  const descriptors: number[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const gadget = startGadget(folder);
    await gadget.run("fill_both", [1000]);
    assertEquals(gadget.metrics("left_events").get("0")?.events, 500n);
    await gadget.running.stop();
    await gadget.running.stop();
    descriptors.push(countDescriptors());
  }
  // The last ones against those after a few, when pools of threads have what they need.
  assertEquals(descriptors[CYCLES - 1], descriptors[5]);
});

kernelTest("starts and stops take no more memory the more there are", async () => {
  await kernelFixture("rings");
  // In a process of its own: here the garbage of other tests would be measured too.
  const output = await runTool(Deno.execPath(), [
    "run",
    "--allow-all",
    "--v8-flags=--expose-gc",
    `${CHECKOUT}tests/kernel/start_stop_memory.ts`,
    String(CYCLES),
  ]);
  const [first, second, third] = output.trim().split(" ").map(Number);
  assert(first > 0 && third - second < MAX_GROWTH_BYTES, `resident bytes: ${output}`);
});

kernelTest("programs at tracepoints are detached by every stop", async () => {
  const name = await builtin("trace_exec");
  for (let cycle = 0; cycle < 10; cycle++) {
    const gadget = startGadget(name);
    assertEquals(gadget.running.programs.flatMap(({ links }) => links).length, 3);
    await gadget.running.stop();
  }
});

function countDescriptors(): number {
  return Array.from(Deno.readDirSync("/proc/self/fd")).length;
}
