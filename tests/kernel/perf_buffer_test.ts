/** Tracers over perf event arrays: the buffers of gadgets for kernels without ring buffers. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { btfWithoutRingBuffers } from "./btf_of_old_kernels.ts";
import { fixture, kernelFixture, kernelTest, startGadget, until } from "./harness.ts";

/** As the gadget's source says. */
const MOST_EVENTS = 8000;
const MAGIC = 4711;
/** Far longer than 8000 events take. */
const BLOCKED_MS = 50;

kernelTest("events of a perf event array are counted and shown, short ones padded", async () => {
  await using gadget = await startGadget(await fixture("perf"), { show: ["events"] });
  // Enough rounds that records wrap around the end of their buffer.
  for (let round = 0; round < 10; round++) {
    await gadget.run("fill", [900, MAGIC]);
    await gadget.running.refresh();
  }
  assertEquals((await gadget.metrics("events")).get("perf"), { tail: 6000n, sent: 9000n });
  const rows = gadget.rowsOf("events");
  assertEquals(rows.map(({ number }) => number), rows.map((_, index) => index % 900));
  const short = rows.filter(({ tail }) => tail === 0).length;
  assertEquals([rows.length, short], [9000, 3000]);
});

kernelTest("a full perf buffer loses events, and tells how many", async () => {
  // Only shown, so that this thread reads them.
  await using gadget = await startGadget(await fixture("perf"), {
    metrics: false,
    show: ["events"],
  });
  const lost = () => gadget.stats("events").eventsLost.buffer_full;
  let sent = 0;
  const send = async (count: number) => {
    const running = gadget.run("fill", [count, MAGIC]);
    sent += count;
    // More than a buffer holds: nobody reads while this thread waits here.
    if (count === MOST_EVENTS) waitHere(BLOCKED_MS);
    await running;
  };
  for (let tries = 0; tries < 20 && lost() === 0; tries++) {
    await send(MOST_EVENTS);
    // The kernel tells of a loss with the next event that finds room on the same CPU.
    for (let event = 0; event < 16; event++) await send(1);
  }
  await until("every event is shown or known as lost", async () => {
    if (gadget.stats("events").eventsReceived + lost() === sent) return true;
    await send(1);
    return false;
  });
  assert(lost() > 0, "nothing was lost");
});

const HUGE = {
  /** The longest sample whose record has a size of 16 bits. */
  longest: 65_516,
  /** Its record would be 128 KiB and 16 bytes: the kernel makes that 16. */
  tooLong: 131_072,
} as const;

function hugeArgs(count: number, sizeBytes: number): [number, bigint] {
  return [count, BigInt(sizeBytes) | BigInt(MAGIC) << 32n];
}

kernelTest(
  "events too long for a perf record are known as lost, the next ones counted",
  async () => {
    await using gadget = await startGadget(await kernelFixture("huge_events"));
    for (let round = 1; round <= 3; round++) {
      // One at a time: such a record is written over what follows it.
      await gadget.run("send_bare", hugeArgs(1, HUGE.tooLong));
      await gadget.running.refresh();
      await gadget.run("send_bare", hugeArgs(2, HUGE.longest));
      assertEquals((await gadget.metrics("bare")).get(""), {
        number: BigInt(2 * round),
        sent: BigInt(2 * round),
      });
      const { eventsReceived, eventsLost } = gadget.stats("bare");
      assertEquals([eventsReceived, eventsLost.buffer_full], [2 * round, round]);
    }
  },
);

kernelTest("<gadget/buffer.h> sends nothing that is too long, and counts it as lost", async () => {
  using btf = btfWithoutRingBuffers();
  await using gadget = await startGadget(await kernelFixture("huge_events"), {
    btfFile: btf.path,
  });
  await gadget.run("send_fitting", hugeArgs(2, HUGE.longest));
  await gadget.run("send_fitting", hugeArgs(3, HUGE.longest + 1));
  await gadget.run("send_fitting", hugeArgs(4, HUGE.tooLong));
  assertEquals((await gadget.metrics("fitting")).get(""), { number: 2n, sent: 2n });
  assertEquals(gadget.stats("fitting").eventsLost, { buffer_full: 0, not_sent: 7 });
  await gadget.running.stop();
  assertEquals(gadget.warnings, [
    "data source fitting: 7 events lost: too long for a perf buffer, or their CPU had just come online",
  ]);
});

/** Blocks this thread, the pump's rounds included. */
function waitHere(timeMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, timeMs);
}
