// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import type { RecordBytes } from "../../../src/decode/mod.ts";
import { type MetricsWish, OperatorThread, PlannedGadget } from "../../../src/operators/mod.ts";
import { optionsOf } from "./planned_options.ts";

/** An operator out of source text. */
function openModule(source: string, warnings: string[]): Promise<OperatorThread> {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const warn = (text: string) => void warnings.push(text);
  return OperatorThread.open({ kind: "module", url }, { label: "test", warn });
}

function read({ take }: MetricsWish["subscriber"]): void {
  void take({ sets: [], snapshot: () => [] });
}

Deno.test("readings wait one by one for each subscription, whatever empty rows come between", async () => {
  const warnings: string[] = [];
  const operator = await openModule(
    `export default { name: "a", priority: 1, instantiate(gadget) {
      let readings = 0;
      gadget.dataSources[0].subscribe({ take() {} });
      for (const _ of "ab") {
        gadget.metrics.subscribe({ async take() {
          readings++;
          await new Promise((resolve) => setTimeout(resolve, 50));
        } }, { intervalMs: 1 });
      }
      return { stop() { gadget.warn(readings + " readings"); } };
    } };`,
    warnings,
  );
  const gadget = await PlannedGadget.of([operator], optionsOf(warnings));
  const [rows] = gadget.dataSources[0].subscribers;
  const [one, other] = gadget.metricsWishes.map(({ subscriber }) => subscriber);
  const none: RecordBytes[] = [];
  for (let fetch = 0; fetch < 3; fetch++) void rows.take(none);
  read(one);
  assertEquals([one.isFull?.(), other.isFull?.()], [true, false]);
  // The last ones come in any case.
  read(one);
  read(other);
  await gadget.stop();
  assertEquals(warnings, ["operator a: 3 readings"]);
  await operator.close();
});

Deno.test("an operator that fails at a step is left out, and told once", async () => {
  for (
    const end of [
      "Deno.exit(3)",
      "close()",
      "setTimeout(() => { throw 1; }); await new Promise(() => {})",
    ]
  ) {
    const warnings: string[] = [];
    const operator = await openModule(
      `export default { name: "a", priority: 1, instantiate({ dataSources: [source] }) {
        source.subscribe({ async take() { ${end}; } });
      } };`,
      warnings,
    );
    const gadget = await PlannedGadget.of([operator], optionsOf(warnings));
    void gadget.dataSources[0].subscribers[0].take([]);
    await gadget.start();
    const late = await PlannedGadget.of([operator], optionsOf(warnings));
    assertEquals(late.dataSources[0].subscribers, []);
    await gadget.stop();
    await operator.close();
    assertEquals([operator.stats.isUp, warnings.length], [false, 1]);
  }
});

Deno.test("a thread is closed once, and does nothing for gadgets that come or stop later", async () => {
  const warnings: string[] = [];
  const operator = await openModule(
    `export default { name: "a", priority: 1, instantiate() {} };`,
    warnings,
  );
  const gadget = await PlannedGadget.of([operator], optionsOf(warnings));
  await Promise.all([operator.close(), operator.close()]);
  await gadget.stop();
  await PlannedGadget.of([operator], optionsOf(warnings));
  assertEquals(warnings, []);
});

Deno.test("an operator is stopped for a gadget to which another one objects", async () => {
  const warnings: string[] = [];
  const operator = await openModule(
    `export default { name: "a", priority: 1, instantiate(gadget) {
      return { stop() { gadget.warn("stopped"); } };
    } };`,
    warnings,
  );
  const picky = {
    name: "b",
    priority: 2,
    instantiate() {
      throw new Error("no");
    },
  };
  await assertRejects(() => PlannedGadget.of([operator, picky], optionsOf(warnings)), Error, "no");
  assertEquals(warnings, ["operator a: stopped"]);
  await operator.close();
});
