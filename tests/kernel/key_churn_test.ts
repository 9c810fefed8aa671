/** Keys without end through a limit: memory stays, and every event is in a series or in the overflow. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { fixture, kernelTest, startGadget } from "./harness.ts";

const KEYS = 10_000_000;
const FILLS = 50;
const LIMIT = 20_000;
/** What garbage that is not collected yet may come to; a series of each key would be over 1 GB. */
const MAX_GROWTH_BYTES = 64 << 20;

kernelTest("10 million keys through a limit of 20,000: flat memory, exact totals", async () => {
  await using gadget = await startGadget(await fixture("filler"), {
    annotate: [`events:metrics.limit=${LIMIT}`, "events:metrics.implicit-counter.name=events"],
  });
  const resident: number[] = [];
  const perFill = KEYS / FILLS;
  for (let fill = 0; fill < FILLS; fill++) {
    await gadget.run("fill", [perFill, KEYS, BigInt(fill * perFill) << 32n]);
    await gadget.running.refresh();
    resident.push(Deno.memoryUsage().rss);
  }
  const [{ value }] = await gadget.mapEntries("filler_stats");
  const { produced, failed } = value as { produced: number; failed: number };
  let events = 0;
  let overflowed = 0;
  const metrics = await gadget.metrics("events");
  for (const [label, values] of metrics) {
    events += Number(values.events);
    if (label === "overflow") overflowed = Number(values.events);
  }
  const stats = gadget.stats("events");
  assertEquals([produced + failed, stats.eventsLost.buffer_full], [KEYS, failed]);
  assertEquals([events, stats.seriesOverflow], [produced, overflowed]);
  assert(metrics.size <= LIMIT + 1, `${metrics.size} series`);
  const growth = Math.max(...resident.slice(FILLS / 2)) - Math.max(...resident.slice(0, FILLS / 2));
  assert(growth < MAX_GROWTH_BYTES, `grew by ${growth} bytes`);
});
