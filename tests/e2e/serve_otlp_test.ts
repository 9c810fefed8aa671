/** Exporters of `kmeter serve`: what collectors get of gadgets that come and go. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { testWith } from "./cases.ts";
import { HttpReceiver } from "./otlp_receiver.ts";
import type { ReceivedPoint } from "./otlp_points.ts";
import { NamedProgram } from "./sandbox.ts";
import { readPage, servedAt } from "./scrape.ts";
import { execsOf, Served } from "./served.ts";

testWith(
  "two exporters get all of gadgets that come and go, through an outage, and nothing twice",
  ["root"],
  async () => {
    await using whole = new HttpReceiver();
    await using deltas = new HttpReceiver();
    using program = new NamedProgram();
    const file = (first: string) =>
      `openmetrics-created: true
exporters:
  whole: {exporter: otlp-http, endpoint: "${whole.url}", interval: 200ms, headers: {x-key: "a, b"}}
operator:
  otel-metrics:
    exporters:
      deltas: {exporter: otlp-http-json, endpoint: "${deltas.url}", interval: 200ms, temporality: delta}
gadgets:
  - ${first}
  - {gadget: trace_exec, name: b}
`;
    await using served = new Served(file("{gadget: trace_exec, name: a}"));
    const points = ({ received }: HttpReceiver, name: string): ReceivedPoint[] =>
      received.pointsOf("execs").filter(({ scope, attributes }) =>
        scope === `${name}/exec` && attributes.comm === program.name
      );
    const sum = (name: string) =>
      points(deltas, name).reduce((total, { value }) => total + Number(value), 0);
    const last = (name: string) => Number(points(whole, name).at(-1)?.value ?? 0);
    const refuse = (status: number | undefined) => {
      for (const receiver of [whole, deltas]) {
        receiver.refuse = () => status === undefined ? undefined : new Response(null, { status });
      }
    };

    const address = await servedAt(served.kmeter);
    await program.run(3);
    await deltas.received.until(() => sum("a") === 3 && sum("b") === 3);
    await whole.received.until(() => last("a") === 3 && last("b") === 3);

    refuse(503);
    await program.run(2);
    assertEquals(execsOf(await readPage(address), "b", program.name), 5);
    assertEquals((await served.ask("stop", "b")).code, 0);
    const args = ["--name", "c", "--otel-metrics-exporter", "deltas"];
    const started = await served.ask("start", "trace_exec", ...args);
    assertEquals(started.code, 0, started.stderr);
    await program.run(4);
    refuse(undefined);
    await deltas.received.until(() => sum("a") === 9 && sum("b") === 5 && sum("c") === 4);
    await whole.received.until(() => last("a") === 9 && last("b") === 5);
    const page = await readPage(address);
    assertEquals(["a", "b", "c"].map((name) => execsOf(page, name, program.name)), [9, 0, 4]);

    assert((await readPage(address, "application/openmetrics-text")).includes("\nexecs_created{"));

    await served.change(
      file("{gadget: trace_exec, name: a, filter: uid==0}").replace("x-key", "x-other"),
      /\(exporters\): that needs a restart\n[^]*read again: 1 started, 1 restarted/,
    );
    await program.run(1);
    served.kmeter.kill("SIGTERM");
    assertEquals((await served.kmeter.finish()).code, 0);
    assertEquals([sum("a"), last("a")], [10, 1]);
    assertEquals([sum("b"), last("b"), sum("c")], [6, 1, 5]);
    assertEquals(points(whole, "c"), []);

    for (const name of ["a", "b", "c"]) {
      points(deltas, name).reduce((before, point) => {
        assert(point.startNs >= before.timeNs && point.timeNs > point.startNs, name);
        return point;
      });
    }
    for (const name of ["a", "b"]) {
      const starts = Map.groupBy(points(whole, name), ({ startNs }) => startNs);
      assertEquals(starts.size, 2, "who takes another's place counts anew");
      const [first, second] = [...starts.values()];
      assert(second[0].startNs >= first[first.length - 1].timeNs);
    }
    const lastOfA = whole.received.requests.findLast(({ points }) =>
      points.some(({ scope }) => scope === "a/exec")
    );
    const isUp = lastOfA?.points.find(({ metric, attributes }) =>
      metric === "kmeter_gadget_up" && attributes.gadget === "a"
    );
    assertEquals(isUp?.value, 1, "what kmeter says of a gadget goes with its last values");
    const [{ headers }] = whole.received.requests;
    assertEquals(headers.get("x-key"), "a, b");
    assertEquals(served.kmeter.stderr.includes("a, b"), false);
  },
);
