/** Sets that come and go while others are pushed: nothing is counted twice, and nothing is lost. */

// @ts-types="../../_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { HttpReceiver, type Received } from "../../../e2e/otlp_receiver.ts";
import type { ReceivedPoint } from "../../../e2e/otlp_points.ts";
import type { PushSource } from "../../../../src/export/mod.ts";
import { Counters, sumOf } from "./counters.ts";
import { exporter, startPush } from "./exporters.ts";

/** What a gadget with these counters is to a push. */
function sourceOf({ set }: Counters, more: Partial<PushSource> = {}): PushSource {
  return { sets: [set], startMs: Date.now(), refresh: () => Promise.resolve(), ...more };
}

function pointsOf(received: Received, scope: string): ReceivedPoint[] {
  return received.points.filter((point) => point.scope === scope);
}

function nsOf(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}

/** Later than all times before, in ms. */
async function laterMs(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 3));
  return Date.now();
}

for (const temporality of ["delta", "cumulative"]) {
  Deno.test(`${temporality}: sets begin when they come, and end with their last values`, async () => {
    await using http = new HttpReceiver();
    const { received } = http;
    using under = await startPush([exporter({ endpoint: http.url, temporality })], []);
    const { push } = under;
    const [first, second, again] = ["one/ds", "two/ds", "one/ds"].map((scope) =>
      new Counters(["a"], scope)
    );
    const [one, two] = [sourceOf(first), sourceOf(second, { startMs: await laterMs() })];
    push.add(one);
    push.add(two);
    first.add(0, 3n);
    second.add(0, 5n);
    // It has begun before that ends whose place it takes.
    const after = sourceOf(again, { startMs: await laterMs() });
    const refused = sourceOf(again);
    push.add(refused, two);
    await push.remove(refused);
    push.add(after, one);
    again.add(0, 7n);
    await laterMs();
    await push.remove(one);
    first.add(0, 100n);
    await push.remove(one);
    await laterMs();
    await push.finish();

    const [end, next, ...others] = pointsOf(received, "one/ds");
    assertEquals(others, []);
    assertEquals([end.value, next.value], [3n, 7n]);
    assertEquals(end.startNs, nsOf(one.startMs));
    assert(end.timeNs > nsOf(after.startMs) && next.startNs === end.timeNs, "they do not overlap");
    const [whole, ...rest] = pointsOf(received, "two/ds");
    assertEquals(rest, []);
    assertEquals([whole.value, whole.startNs], [5n, nsOf(two.startMs)]);
  });
}

Deno.test("what comes or goes while a push is under way is told once", async () => {
  await using http = new HttpReceiver();
  const { received } = http;
  const settings = { endpoint: http.url, temporality: "delta", interval: "100ms" };
  using under = await startPush([exporter(settings)], []);
  const { push } = under;
  const gate = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const refresh = () => {
    reading.resolve();
    return gate.promise;
  };
  const counters = ["stays/ds", "goes/ds", "comes/ds"].map((scope) => new Counters(["a"], scope));
  const [stays, goes, comes] = counters;
  const leaving = sourceOf(goes);
  push.add(sourceOf(stays, { refresh }));
  push.add(leaving);
  for (const each of counters) each.add(0, 1n);
  await reading.promise;
  push.add(sourceOf(comes));
  const removed = push.remove(leaving);
  for (const each of counters) each.add(0, 10n);
  gate.resolve();
  await removed;
  for (let round = 0; round < 2; round++) {
    stays.add(0, 100n);
    comes.add(0, 100n);
    await received.until(() => sumOf(received) >= 11n * 3n + 200n * BigInt(round + 1));
  }
  await push.finish();
  for (const { set, produced } of counters) {
    const points = pointsOf(received, set.scope);
    assertEquals(points.reduce((sum, { value }) => sum + BigInt(value ?? 0), 0n), produced);
    points.slice(1).forEach(({ startNs }, index) => assert(startNs >= points[index].timeNs));
  }
});

Deno.test("a set goes to the exporters that it names", async () => {
  await using left = new HttpReceiver();
  await using right = new HttpReceiver();
  const [a, b] = [exporter({ endpoint: left.url }, "a"), exporter({ endpoint: right.url }, "b")];
  using under = await startPush([a, b], []);
  const { push } = under;
  const chosen: [scope: string, exporters: string[] | undefined][] = [
    ["all", undefined],
    ["one", ["b"]],
    ["none", []],
  ];
  const sources = chosen.map(([scope, names]) =>
    sourceOf(new Counters(["a"], scope), names && { exporters: new Set(names) })
  );
  for (const source of sources) push.add(source);
  await push.remove(sources[1]);
  await push.finish();
  assertEquals(left.received.points.map(({ scope }) => scope), ["all"]);
  assertEquals(right.received.points.map(({ scope }) => scope), ["one", "all"]);
});

Deno.test("last values wait like others in an outage, and are lost and told beyond twice the queue", async () => {
  await using http = new HttpReceiver();
  const { received } = http;
  http.refuse = () => new Response(null, { status: 503 });
  const counters = Array.from({ length: 8 }, (_, index) => new Counters(["a"], `${index}/ds`));
  const settings = { endpoint: http.url, temporality: "delta", maxQueueBytes: "200" };
  using under = await startPush([exporter(settings)], []);
  const { push, warnings } = under;
  for (const each of counters) {
    const source = sourceOf(each);
    push.add(source);
    each.add(0, 1n);
    await push.remove(source);
  }
  await received.until(({ attempts }) => attempts > 0);
  http.refuse = () => undefined;
  await push.finish(20_000);
  const [{ sent, unsent, queued }] = push.stats;
  assertEquals([sent + unsent, queued], [8, 0]);
  assert(sent > 1 && unsent > 0, `${sent} sent, ${unsent} lost`);
  assertEquals(sumOf(received), BigInt(sent));
  const lost = warnings.filter((text) => text.includes("of a gadget that has ended are lost"));
  assertEquals(lost.length, unsent);
  assertMatch(lost[0], /^exporter test: 1 data points of .*: \d+ bytes wait for http:\S+ already$/);
});
