/** A CPU that goes offline and comes back while gadgets run. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { onlineCpus } from "../../ffi/mod.ts";
import { pinToCpu } from "./cpus.ts";
import { fixture, kernelTest, startGadget, until } from "./harness.ts";

const MAGIC = 4711;
/** Longer than kmeter takes to see that a CPU has gone. */
const OFFLINE_MS = 600;
const SWITCH = "/sys/devices/system/cpu/cpu1/online";

function needsHotplug(): string | undefined {
  if (!onlineCpus().includes(1)) return "no CPU 1";
  try {
    Deno.writeTextFileSync(SWITCH, "1");
    return undefined;
  } catch (error) {
    return `CPU 1 cannot be switched: ${error instanceof Error ? error.message : error}`;
  }
}

kernelTest("perf buffers: a CPU that returns sends again, and what was lost is told", async () => {
  await using gadget = await startGadget(await fixture("perf"));
  let sent = 0;
  const send = async (count: number) => {
    await gadget.run("fill", [count, MAGIC]);
    await gadget.running.refresh();
    sent += count;
  };
  const isTold = () => gadget.warnings.some((text) => text.includes("CPU 1 came online"));
  try {
    Deno.writeTextFileSync(SWITCH, "0");
    for (let run = 0; run < 10; run++) await send(100);
    await sleep(OFFLINE_MS);
    assertEquals(gadget.stats("events").eventsReceived, sent);
  } finally {
    Deno.writeTextFileSync(SWITCH, "1");
  }
  await until("the CPU's return is told", isTold);
  const before = gadget.stats("events").eventsReceived;
  sent = 0;
  await using _pinned = await pinToCpu(1);
  for (let run = 0; run < 20; run++) await send(100);
  assertEquals(gadget.stats("events").eventsReceived - before, sent);
  assertEquals(gadget.stats("events").eventsLost, { buffer_full: 0 });
}, { probe: needsHotplug });

function sleep(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
