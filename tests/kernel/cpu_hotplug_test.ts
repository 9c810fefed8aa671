/** A CPU that goes offline and comes back while gadgets run. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { CPU_SWITCH, needsCpuSwitch, pinToCpu, switchCpu } from "./cpus.ts";
import { fixture, kernelTest, type StartedGadget, startGadget, until } from "./harness.ts";
import { findTool } from "./oracles.ts";

const MAGIC = 4711;
/** Longer than kmeter takes to see that a CPU has gone. */
const OFFLINE_MS = 600;

function isTold(gadget: StartedGadget): boolean {
  return gadget.warnings.some((text) => text.includes("CPU 1 came online: what it sent"));
}

/** What CPU 1 sends is counted, all of it. */
async function assertSends(gadget: StartedGadget): Promise<void> {
  const before = gadget.stats("events").eventsReceived;
  await using _pinned = await pinToCpu(1);
  for (let run = 0; run < 20; run++) {
    await gadget.run("fill", [100, MAGIC]);
    await gadget.running.refresh();
  }
  assertEquals(gadget.stats("events").eventsReceived - before, 2000);
  assertEquals(gadget.stats("events").eventsLost, { buffer_full: 0 });
}

kernelTest("perf buffers: a CPU that returns sends again, and what was lost is told", async () => {
  await using gadget = await startGadget(await fixture("perf"));
  let sent = 0;
  try {
    switchCpu("0");
    for (let run = 0; run < 10; run++) {
      await gadget.run("fill", [100, MAGIC]);
      await gadget.running.refresh();
      sent += 100;
    }
    await sleep(OFFLINE_MS);
    assertEquals(gadget.stats("events").eventsReceived, sent);
  } finally {
    switchCpu("1");
  }
  await until("the CPU's return is told", () => isTold(gadget));
  await assertSends(gadget);
  assertEquals(gadget.warnings.length, 1);
}, { probe: needsCpuSwitch });

kernelTest("perf buffers: a CPU that goes and returns at once sends again", async () => {
  await using gadget = await startGadget(await fixture("perf"));
  switchCpu("0");
  switchCpu("1");
  await until("the CPU's return is told", () => isTold(gadget));
  await assertSends(gadget);
}, { probe: needsCpuSwitch });

for (const counted of [true, false]) {
  kernelTest(
    `perf buffers: a CPU that was offline at the start is ${
      counted ? "counted" : "shown"
    } when it comes`,
    async () => {
      switchCpu("0");
      let gadget: StartedGadget | undefined;
      try {
        gadget = await startGadget(await fixture("perf"), {
          metrics: counted,
          show: counted ? [] : ["events"],
        });
      } finally {
        switchCpu("1");
      }
      await using running = gadget;
      await until("the CPU is told", () => isTold(running));
      {
        await using _pinned = await pinToCpu(1);
        await running.run("fill", [7, MAGIC]);
      }
      // Nobody asks: the event itself wakes who reads.
      await until("they are there", () => running.stats("events").eventsReceived === 7);
      if (counted) await assertSends(running);
    },
    { probe: needsCpuSwitch },
  );
}

kernelTest(
  "perf buffers: without descriptors a CPU's return is told once and tried again",
  async () => {
    await using gadget = await startGadget(await fixture("perf"));
    const limit = (nofile: string) => `prlimit --pid ${Deno.pid} --nofile=${nofile}:`;
    // Another process gives the descriptors back: this one could not start any then.
    const script =
      `read _; ${limit("3")}; echo 0 > ${CPU_SWITCH}; echo 1 > ${CPU_SWITCH}; read _; ` +
      limit(Deno.readTextFileSync("/proc/self/limits").match(/^Max open files\s+(\S+)/m)![1]);
    const shell = new Deno.Command("sh", { args: ["-c", script], stdin: "piped" }).spawn();
    const input = shell.stdin.getWriter();
    const next = () => input.write(new TextEncoder().encode("\n"));
    await next();
    try {
      await until("the failure is told", () => gadget.warnings.length > 0);
      await sleep(OFFLINE_MS);
    } finally {
      await next();
      await input.close();
      await shell.status;
    }
    await until("the CPU's return is told", () => isTold(gadget));
    const [failure, ...others] = gadget.warnings;
    assertMatch(failure, /The CPUs cannot be looked at: .*EMFILE/);
    assertEquals(others.length, 1);
    await assertSends(gadget);
  },
  {
    probe: () => needsCpuSwitch() ?? (findTool("prlimit") ? undefined : "no prlimit (util-linux)"),
  },
);

function sleep(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
