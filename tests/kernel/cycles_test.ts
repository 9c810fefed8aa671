/** Starting and stopping again and again costs nothing that stays. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { builtin, kernelFixture, kernelTest, startGadget } from "./harness.ts";

/** Compared are the smallest sizes in windows: the garbage collector comes when it likes. */
const WINDOW_CYCLES = 50;
/** A leaked ring mapping would be 100 MiB in a window, a leaked verifier log 800 MiB. */
const MAX_GROWTH_BYTES = 48 << 20;

kernelTest("150 starts and stops leave neither descriptors nor programs nor memory", async () => {
  const folder = await kernelFixture("rings");
  const smallest = [Infinity, Infinity, Infinity];
  const descriptors = [0, 0, 0];
  for (let cycle = 0; cycle < 3 * WINDOW_CYCLES; cycle++) {
    const gadget = startGadget(folder);
    await gadget.run("fill_both", [1000]);
    assertEquals(gadget.metrics("left_events").get("0")?.events, 500n);
    await gadget.running.stop();
    await gadget.running.stop();
    const window = Math.floor(cycle / WINDOW_CYCLES);
    smallest[window] = Math.min(smallest[window], Deno.memoryUsage().rss);
    descriptors[window] = Math.max(descriptors[window], countDescriptors());
  }
  assertEquals(descriptors[2], descriptors[1]);
  const growth = smallest[2] - smallest[1];
  assert(growth < MAX_GROWTH_BYTES, `${growth >> 10} KiB more after ${WINDOW_CYCLES} cycles`);
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
