// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { History, lookBack } from "../../../web/history.js";

Deno.test("rates are growth by the time between two looks, however long that was", () => {
  const history = new History();
  history.addCounts("k", 10, [0, 5]);
  history.addCounts("k", 12, [4, 5]);
  history.addCounts("k", 52, [44, 6]);
  assertEquals(history.rates("k"), [
    { from: 10, to: 12, value: [2, 0] },
    { from: 12, to: 52, value: [1, 0.025] },
  ]);
  assertEquals(history.rates("unknown"), []);
});

Deno.test("a counter that falls begins anew, a gauge does not", () => {
  const history = new History();
  for (const [at, value] of [[1, 7], [2, 9], [3, 1], [4, 2]]) {
    history.addCounts("counter", at, [value]);
    history.add("gauge", at, [value]);
  }
  assertEquals(history.rates("counter"), [{ from: 3, to: 4, value: [1] }]);
  assertEquals(history.points("gauge").length, 4);
});

Deno.test("five minutes are remembered, and series that were not seen for as long are forgotten", () => {
  const history = new History();
  history.add("gone", 0, [1]);
  for (let at = 0; at <= 400; at += 2) history.add("k", at, [at]);
  assertEquals(history.points("k")[0], { at: 98, value: [98] });
  history.forgetOld(300);
  assertEquals(history.points("gone").length, 1);
  history.forgetOld(301);
  assertEquals(history.points("gone"), []);
});

Deno.test("what is shown grows from one minute to five", () => {
  const history = new History();
  const spans = [0, 59, 100, 900].map((seconds) =>
    lookBack(history, { now: 1000 + seconds, since: 1000 }).spanSeconds
  );
  assertEquals(spans, [60, 60, 100, 300]);
});
