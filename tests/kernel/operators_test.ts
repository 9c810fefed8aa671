/** Operators in threads of their own, beside real events. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../src/errors.ts";
import { OperatorThread } from "../../src/operators/mod.ts";
import { fixture, kernelTest, startGadget, until } from "./harness.ts";

/** More than may wait for an operator, in bursts that the ring has room for. */
const BURST = 100_000;
const BURSTS = 5;

/** An operator out of source text. */
function openModule(source: string, warnings: string[] = []): Promise<OperatorThread> {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const warn = (text: string) => void warnings.push(text);
  return OperatorThread.open({ kind: "module", url }, { label: "test", warn });
}

async function countFiller(operator: OperatorThread): Promise<bigint> {
  await using gadget = await startGadget(await fixture("filler"), {
    annotate: ["events:metrics.implicit-counter.name=count"],
    operators: [operator],
  });
  await gadget.running.begin();
  for (let burst = 0; burst < BURSTS; burst++) {
    await gadget.run("fill", [BURST, 4, 0]);
    await gadget.metrics("events");
  }
  const metrics = await gadget.metrics("events");
  let sum = 0n;
  for (const { count } of metrics.values()) sum += count as bigint;
  await until("rows are left out", () => operator.stats.lostRows > 0);
  return sum;
}

kernelTest(
  "an operator that takes nothing loses rows, and no event is lost to metrics",
  async () => {
    const operator = await openModule(`export default {
    name: "stuck", priority: 1,
    instantiate({ dataSources: [source] }) { source.subscribe({ take: () => new Promise(() => {}) }); },
  }`);
    const counted = await countFiller(operator);
    const { isUp, rows, lostRows } = operator.stats;
    await operator.close();
    assertEquals([counted, isUp, rows], [BigInt(BURSTS * BURST), false, 0]);
    assert(lostRows > 0);
  },
);

kernelTest(
  "rows cross threads whole, with their texts, and the last metrics come at the end",
  async () => {
    const warnings: string[] = [];
    const operator = await openModule(
      `export default {
    name: "reader", priority: 1,
    instantiate(gadget) {
      const [source] = gadget.dataSources;
      let count = 0, sum = 0n, bad = 0;
      source.subscribe({ take(records) {
        for (const record of records) {
          const k = source.value("pid", record) - 1000;
          sum += source.value("timestamp", record);
          if (source.text("comm", record) !== "filler--" + "abcd"[k] + "aaa") bad++;
          if (source.toObject(record).bytes !== k + 1) bad++;
          count++;
        }
      } });
      let total = 0n;
      gadget.metrics.subscribe({ take(reading) {
        const [metric] = reading.snapshot().filter(({ name }) => name === "count");
        total = metric.series.reduce((sum, { value }) => sum + value, 0n);
      } }, { intervalMs: 3600000 });
      return { stop() { gadget.warn([count, sum, bad, total].join(" ")); } };
    },
  }`,
      warnings,
    );
    await using gadget = await startGadget(await fixture("filler"), {
      annotate: ["events:metrics.implicit-counter.name=count"],
      operators: [operator],
    });
    await gadget.running.begin();
    await gadget.run("fill", [1000, 4, 0]);
    await gadget.metrics("events");
    await gadget.running.stop();
    assertEquals(gadget.warnings, [`operator reader: 1000 ${999 * 500} 0 1000`]);
    assertEquals([operator.stats.rows, operator.stats.lostRows], [1000, 0]);
    await operator.close();
    assertEquals(warnings, []);
  },
);

kernelTest("an operator that objects keeps its gadget from starting, and no other", async () => {
  const operator = await openModule(`export default {
    name: "picky", priority: 1,
    instantiate({ name }) { if (name === "filler") throw new Error("not this one"); },
  }`);
  await assertRejects(
    async () => await startGadget(await fixture("filler"), { operators: [operator] }),
    UsageError,
    "operator picky: not this one",
  );
  await using gadget = await startGadget(await fixture("sampled"), { operators: [operator] });
  await gadget.running.begin();
  assertEquals(operator.stats.isUp, true);
  await gadget.running.stop();
  await operator.close();
});
