// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { RecordBytes } from "../../../src/decode/mod.ts";
import {
  FILTER_OPERATOR,
  METRICS_OPERATOR,
  type Operator,
  PlannedGadget,
} from "../../../src/operators/mod.ts";
import { optionsOf } from "./planned_options.ts";

async function planned(
  operators: readonly Operator[],
  params: Readonly<Record<string, string>> = {},
): Promise<{ gadget: PlannedGadget; warnings: string[] }> {
  const warnings: string[] = [];
  return { gadget: await PlannedGadget.of(operators, optionsOf(warnings, params)), warnings };
}

/** Writes down what it is called for. */
function scribe(name: string, priority: number, log: string[]): Operator {
  return {
    name,
    priority,
    instantiate() {
      log.push(`instantiate ${name}`);
      const step = (what: string) => async () => {
        await Promise.resolve();
        log.push(`${what} ${name}`);
      };
      const instance = {
        preStart: step("preStart"),
        start: (previous?: object) => {
          log.push(`start ${name}${previous === undefined ? "" : " again"}`);
        },
        stop: step("stop"),
      };
      return instance;
    },
  };
}

Deno.test("the lifecycle goes by priority, and a successor meets the instance before it", async () => {
  const log: string[] = [];
  const operators = [scribe("b", 2, log), scribe("a", 1, log)];
  const first = await planned(operators);
  await first.gadget.preStart();
  await first.gadget.start();
  assertEquals(log.splice(0), [
    "instantiate a",
    "instantiate b",
    "preStart a",
    "preStart b",
    "start a",
    "start b",
  ]);
  const second = await planned([...operators, scribe("c", 0, log)]);
  log.splice(0);
  await second.gadget.start(first.gadget);
  await first.gadget.stop();
  assertEquals(log, ["start c", "start a again", "start b again", "stop a", "stop b"]);
});

Deno.test("all operators are stopped, whatever one of them throws", async () => {
  const log: string[] = [];
  const thrower: Operator = {
    name: "thrower",
    priority: 0,
    instantiate: () => ({ stop: () => Promise.reject(new Error("no end")) }),
  };
  const { gadget, warnings } = await planned([thrower, scribe("a", 1, log)]);
  await gadget.stop();
  assertEquals([log.at(-1), warnings], ["stop a", ["no end"]]);
});

Deno.test("what one operator sets, those behind it see", async () => {
  const texts: Operator = {
    name: "texts",
    priority: 1,
    instantiate({ dataSources: [source] }) {
      source.setText(source.fields[0], () => "init");
      return undefined;
    },
  };
  const seen: unknown[] = [];
  const reader: Operator = {
    name: "reader",
    priority: 2,
    instantiate({ dataSources: [source] }) {
      const view = new DataView(new ArrayBuffer(16));
      view.setUint32(0, 1, true);
      view.setBigUint64(8, 2n ** 60n, true);
      const record: RecordBytes = { segments: [view], offsets: [0, 0] };
      seen.push(source.text("pid", record), source.value("pid", record));
      seen.push(source.text("bytes", record), source.value("bytes", record));
      seen.push({ ...source.toObject(record) });
      assertThrows(() => source.text("pod", record), RangeError, 'no field "pod": pid, bytes');
      return undefined;
    },
  };
  await planned([reader, texts]);
  const big = String(2n ** 60n);
  assertEquals(seen, ["init", 1, big, 2n ** 60n, { pid: "init", bytes: big }]);
});

Deno.test("a filter is for the data sources that have its fields", async () => {
  const { gadget } = await planned([FILTER_OPERATOR], { filter: "pid==1" });
  assertEquals(gadget.dataSources.map(({ filter }) => filter.length), [1, 0]);
  await assertRejects(() => planned([FILTER_OPERATOR], { filter: "none==1" }), Error, "none");
});

Deno.test("metrics are collected where there are some, and a word is said where there are none", async () => {
  const { gadget, warnings } = await planned([METRICS_OPERATOR]);
  assertEquals(gadget.dataSources.map(({ isCollected }) => isCollected), [true, false]);
  assertEquals(warnings.length, 1);
  assertEquals(warnings[0].startsWith("data source plain has no metrics"), true);
});
