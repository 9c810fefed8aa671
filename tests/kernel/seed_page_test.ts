/** The examples of the page "Adding Metrics to your Gadget": right ones run, wrong ones say what is wrong. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FormatError } from "../../src/errors.ts";
import { fixture, kernelTest, type Metrics, startGadget } from "./harness.ts";

/** 100 events: 34 of "alpha" with 1, 33 of "beta" with 2, 33 of "gamma" with 3. */
const EVENTS = 100;

const RIGHT: readonly {
  gadget: string;
  shows: string;
  dataSource: string;
  expected: [string, Metrics extends Map<string, infer V> ? V : never][];
}[] = [
  {
    gadget: "events_yaml",
    shows: "a field with metrics.type: counter is one counter",
    dataSource: "events",
    expected: [["", { count: 34n + 66n + 99n }]],
  },
  {
    gadget: "events_key",
    shows: "a key tells the counter's series apart",
    dataSource: "events",
    expected: [["alpha", { count: 34n }], ["beta", { count: 66n }], ["gamma", { count: 99n }]],
  },
  {
    gadget: "c_typed",
    shows: "gadget_counter__u32 in the event's struct is a counter",
    dataSource: "events",
    expected: [["", { name: 200n }]],
  },
  {
    gadget: "map_fixed",
    shows: "a map's gadget_counter__u32 is a counter, annotated under its data source",
    dataSource: "mymetrics",
    expected: [["0", { counter: 34n }], ["1", { counter: 33n }], ["2", { counter: 33n }]],
  },
];

for (const { gadget: name, shows, dataSource, expected } of RIGHT) {
  kernelTest(`${name}: ${shows}`, async () => {
    await using gadget = await startGadget(await fixture(`seed/${name}`));
    await gadget.run("fill", [EVENTS]);
    const metrics = await gadget.metrics(dataSource);
    assertEquals([...metrics].sort(([a], [b]) => a < b ? -1 : 1), expected);
  });
}

const WRONG = [
  {
    gadget: "implicit_counter",
    mistake: "matrics.implicit-counter.description",
    says: ["matrics.implicit-counter.description", "datasources.events"],
    hints: "metrics.implicit-counter.description",
  },
  {
    gadget: "map_verbatim",
    mistake: "annotations of metrics where the data source is mymetrics",
    says: ["metrics"],
    hints: "mymetrics",
  },
];

for (const { gadget, mistake, says, hints } of WRONG) {
  kernelTest(`${gadget}: ${mistake} is refused, with a suggestion`, async () => {
    const folder = await fixture(`seed/${gadget}`);
    const error = await assertRejects(() => startGadget(folder), FormatError);
    for (const part of says) assertStringIncludes(error.message, part);
    assertStringIncludes(error.hint ?? "", hints);
  });
}

kernelTest("the page's implicit counter works by --annotate, with the right spelling", async () => {
  await using gadget = await startGadget(await fixture("seed/events_key"), {
    annotate: ["events:metrics.implicit-counter.name=eventctr"],
  });
  await gadget.run("fill", [EVENTS]);
  const metrics = await gadget.metrics("events");
  assertEquals(metrics.get("beta"), { count: 66n, eventctr: 33n });
});
