/** What is lost is said in words too: once per interval, with the number that the metrics have. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { kernelFixture, kernelTest, startGadget } from "./harness.ts";

const ROOM = 64;

kernelTest("events lost although they are counted: the warnings add up to the metric", async () => {
  await using gadget = await startGadget(await kernelFixture("rings"));
  await gadget.run("fill_small", [100_000]);
  await gadget.metrics("small_events");
  const lost = gadget.stats("small_events").eventsLost.buffer_full;
  await gadget.running.stop();
  const told = gadget.warnings.map((text) =>
    Number(/^data source small_events: (\d+) events lost: the buffer was full$/.exec(text)?.[1])
  );
  assertEquals(told.length > 0 && told.every((count) => count > 0), true, gadget.warnings.join());
  assertEquals(told.reduce((sum, count) => sum + count, 0), lost);
});

kernelTest(
  "a full map is a metric and a warning; one that evicts or has room is none",
  async () => {
    await using gadget = await startGadget(await kernelFixture("small_maps"));
    await gadget.run("fill", [ROOM / 2, 0]);
    await gadget.metrics("hash");
    assertEquals(gadget.stats("hash").map?.fullReads, 0);
    await gadget.run("fill", [2 * ROOM, 0]);
    for (const source of ["hash", "percpu", "lru", "refused"]) await gadget.metrics(source);
    const fullReads = (source: string) => gadget.stats(source).map?.fullReads;
    // Reading makes room: further reads find some.
    assertEquals(["lru", "refused"].map(fullReads), [undefined, undefined]);
    assertEquals(["hash", "percpu"].map(fullReads), [1, 1]);
    await gadget.running.stop();
    assertEquals(
      gadget.warnings.toSorted(),
      ["hash", "percpu"].map((source) =>
        `data source ${source}: its map was full with ${ROOM} entries: ` +
        "the gadget cannot count what is new; give the map more room"
      ),
    );
  },
);
