/** What kmeter does on kernels that lack ring buffers. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { KernelError, UnsupportedError } from "../../src/errors.ts";
import { btfWithoutRingBuffers } from "./btf_of_old_kernels.ts";
import { pinToCpu } from "./cpus.ts";
import {
  fixture,
  kernelFixture,
  kernelTest,
  type StartedGadget,
  startGadget,
  until,
} from "./harness.ts";
import { runTool } from "./oracles.ts";

const MAGIC = 4711;

async function typeOf(gadget: StartedGadget, map: string): Promise<string> {
  const id = await gadget.mapId(map);
  return JSON.parse(await runTool("bpftool", ["-j", "map", "show", "id", String(id)])).type;
}

async function produced(gadget: StartedGadget): Promise<bigint> {
  const [{ value }] = await gadget.mapEntries("produced");
  return BigInt(value as number);
}

for (const type of ["ringbuf", "perf_event_array"]) {
  kernelTest(
    `a gadget of <gadget/buffer.h> counts by ${type}: produced = counted + lost`,
    async () => {
      using btf = btfWithoutRingBuffers();
      await using gadget = await startGadget(await kernelFixture("fallback"), {
        show: ["events"],
        ...(type === "perf_event_array" && { btfFile: btf.path }),
      });
      assertEquals(await typeOf(gadget, "events_map"), type);
      for (let round = 0; round < 5; round++) await gadget.run("fill", [500, MAGIC]);
      await gadget.running.refresh();
      const { eventsReceived, eventsLost } = gadget.stats("events");
      assertEquals([eventsReceived, eventsLost.buffer_full], [2500, 0]);
      assertEquals((await gadget.metrics("events")).get(""), { number: 2500n, sent: 2500n });

      // More than the buffer holds, again and again, until some is lost: the reader waits for the same CPU.
      await using _pinned = await pinToCpu(0);
      await until("something is lost", async () => {
        await gadget.run("fill", [200_000, MAGIC]);
        return gadget.stats("events").eventsLost.buffer_full > 0;
      });
      await until("every event is counted or known as lost", async () => {
        // A perf buffer tells of a loss with the next event that finds room on the same CPU.
        await gadget.run("fill", [1, MAGIC]);
        await gadget.running.refresh();
        const stats = gadget.stats("events");
        return BigInt(stats.eventsReceived + stats.eventsLost.buffer_full) ===
          await produced(gadget);
      });
      const metrics = (await gadget.metrics("events")).get("");
      assertEquals(metrics?.sent, BigInt(gadget.stats("events").eventsReceived));
    },
  );
}

kernelTest("a ring buffer that can be nothing else is refused by its name", async () => {
  using btf = btfWithoutRingBuffers();
  const error = await assertRejects(
    async () => startGadget(await kernelFixture("bare_ring"), { btfFile: btf.path }),
    UnsupportedError,
    `is a ring buffer, which "${btf.path}" does not name`,
  );
  assertEquals(error.hint?.includes("GADGET_TRACER_MAP"), true);
});

kernelTest("a map that is too large says so", async () => {
  const folder = await fixture("iterators");
  const error = await assertRejects(
    () => startGadget(folder, { params: { size: "4294967295" } }),
    KernelError,
  );
  assertMatch(error.hint ?? "", /^map squares is larger than this kernel or its memory allows/);
});
