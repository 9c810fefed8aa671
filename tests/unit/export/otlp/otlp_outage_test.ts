/** Deltas and outages: nothing is counted twice, and nothing is lost that could be sent. */

// @ts-types="../../_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { testWith } from "../../../e2e/cases.ts";
import { encodePartialSuccess } from "../../../e2e/otlp_points.ts";
import {
  GrpcReceiver,
  HttpReceiver,
  PYTHON_GRPC,
  type Received,
} from "../../../e2e/otlp_receiver.ts";
import { histograms, singleSet } from "../fake_metric_set.ts";
import { Counters, sumOf } from "./counters.ts";
import { exporter, startPush } from "./exporters.ts";

/** Delta windows of a series follow each other without gaps and without overlaps. */
function assertContiguous(received: Received, startMs: number): void {
  const points = received.pointsOf("count").filter(({ attributes }) => attributes.k === "a");
  let endNs = BigInt(startMs) * 1_000_000n;
  for (const { startNs, timeNs, temporality } of points) {
    assertEquals(temporality, 1);
    assert(startNs >= endNs && timeNs > startNs, `${endNs} ${startNs} ${timeNs}`);
    endNs = timeNs;
  }
}

/** Counts while pushes come and go, with an outage in the middle. */
async function pushThroughOutage(
  receiver: HttpReceiver | GrpcReceiver,
  settings: Parameters<typeof exporter>[0],
  outage: { begin: () => unknown; end: () => unknown },
): Promise<void> {
  const { received } = receiver;
  const counters = new Counters(["a", "b"]);
  using under = await startPush(
    [exporter({ endpoint: receiver.url, interval: "100ms", temporality: "delta", ...settings })],
    [counters.set],
  );
  const countFor = async (isOver: () => boolean) => {
    await received.until(() => {
      counters.add(0, 1n);
      counters.add(1, 3n);
      return isOver();
    });
  };
  await countFor(() => received.requests.length >= 2);
  await outage.begin();
  const attempts = received.attempts;
  await countFor(() => received.attempts >= attempts + 1 && under.push.stats[0].queued > 4);
  await outage.end();
  const taken = received.requests.length;
  await countFor(() => received.requests.length >= taken + 3);
  await under.push.finish();
  assertEquals(sumOf(received), counters.produced);
  assertContiguous(received, under.startMs);
  const [{ sent, refused, unsent, queued, failures }] = under.push.stats;
  assertEquals({ sent, refused, unsent, queued }, {
    sent: received.points.length,
    refused: 0,
    unsent: 0,
    queued: 0,
  });
  assert(Object.keys(failures).length > 0);
  assertEquals(under.warnings.length, 1, under.warnings.join("\n"));
  assertMatch(under.warnings[0], /^exporter test: cannot push to \S+, tries again: /);
}

Deno.test("deltas of HTTP add up to what was counted, through an outage", async () => {
  await using http = new HttpReceiver();
  await pushThroughOutage(http, { compression: "gzip" }, {
    begin: () => http.refuse = () => new Response("busy", { status: 503 }),
    end: () => http.refuse = () => undefined,
  });
});

testWith(
  "deltas of gRPC add up to what was counted, through an outage",
  [PYTHON_GRPC],
  async () => {
    await using grpc = await GrpcReceiver.start();
    await pushThroughOutage(grpc, { exporter: "otlp-grpc" }, {
      begin: () => grpc.refuse({ code: 14, details: "busy" }),
      end: () => grpc.answer(),
    });
  },
);

testWith(
  "a collector that is gone and comes back gets everything, in order",
  [PYTHON_GRPC],
  async () => {
    for (const protocol of ["otlp-http", "otlp-grpc"]) {
      const start = (port = 0) =>
        protocol === "otlp-grpc" ? GrpcReceiver.start({ port }) : new HttpReceiver({ port });
      const counters = new Counters(["a"]);
      const first = await start();
      const { url, port } = first;
      const settings = { exporter: protocol, endpoint: url, interval: "100ms" };
      using under = await startPush([exporter(settings)], [counters.set]);
      const { received } = first;
      await received.until(() => received.requests.length >= 2);
      await first[Symbol.asyncDispose]();
      await received.until(() => under.push.stats[0].queued > 3);
      counters.add(0, 5n);
      await using second = await start(port);
      await second.received.until(({ requests }) => requests.length > 3);
      await under.push.finish();
      const points = [...received.pointsOf("count"), ...second.received.pointsOf("count")];
      const times = points.map(({ timeNs }) => timeNs);
      assertEquals(times, times.toSorted((a, b) => a < b ? -1 : 1));
      assertEquals(new Set(times).size, times.length, "cumulative points come once");
      assertEquals(points.at(-1)?.value, 5n);
      assertEquals(new Set(points.map(({ startNs }) => startNs)).size, 1);
    }
  },
);

Deno.test("while enough waits nothing is pushed, and the next push covers that time", async () => {
  await using http = new HttpReceiver();
  const counters = new Counters(["a"]);
  http.refuse = () => new Response(null, { status: 429 });
  using under = await startPush([
    exporter({ endpoint: http.url, interval: "100ms", temporality: "delta", maxQueueBytes: "0" }),
  ], [counters.set]);
  counters.add(0, 1n);
  await http.received.until(({ attempts }) => {
    counters.add(0, 1n);
    return attempts >= 1 && under.push.stats[0].skipped >= 3;
  });
  assertEquals(under.push.stats[0].queued, 1);
  http.refuse = () => undefined;
  await http.received.until(({ requests }) => requests.length >= 1);
  await under.push.finish();
  assertEquals(sumOf(http.received), counters.produced);
  assertContiguous(http.received, under.startMs);
});

Deno.test("Retry-After is obeyed", async () => {
  await using http = new HttpReceiver();
  const counters = new Counters(["a"]);
  const times: number[] = [];
  http.refuse = (attempt) => {
    times.push(performance.now());
    return attempt === 1
      ? new Response(null, { status: 503, headers: { "retry-after": "1" } })
      : undefined;
  };
  using under = await startPush([exporter({ endpoint: http.url })], [counters.set]);
  await under.push.finish(20_000);
  assertEquals(http.received.requests.length, 1);
  assert(times[1] - times[0] > 950, times.join(" "));
});

Deno.test("what a collector refuses for good is lost, counted and told", async () => {
  const status = new Uint8Array([0x12, 3, ...new TextEncoder().encode("bad")]);
  const answers: [Response, RegExp][] = [
    [new Response("no such\npath", { status: 404 }), /: status 404 Not Found: no such path$/],
    [
      new Response(status, { status: 400, headers: { "content-type": "application/x-protobuf" } }),
      /: status 400 Bad Request: bad$/,
    ],
    [
      Response.json({ code: 3, message: "json" }, { status: 400 }),
      /: status 400 Bad Request: json$/,
    ],
    [Response.redirect("http://127.0.0.1:9/", 307), /: status 307 Temporary Redirect$/],
    [new Response(null, { status: 500 }), /: status 500 Internal Server Error$/],
  ];
  for (const [answer, pattern] of answers) {
    await using http = new HttpReceiver();
    http.refuse = () => answer;
    using under = await startPush(
      [exporter({ endpoint: http.url })],
      [new Counters(["a", "b"]).set],
    );
    await under.push.finish();
    const [{ refused, sent, failures }] = under.push.stats;
    assertEquals({ refused, sent, failures }, {
      refused: 2,
      sent: 0,
      failures: { [String(answer.status)]: 1 },
    });
    assertEquals(http.received.attempts, 1);
    assertEquals(under.warnings.length, 1);
    assertMatch(under.warnings[0], /refuses 2 data points, they are lost: /);
    assertMatch(under.warnings[0], pattern);
  }
});

const RETRY_INFO_TYPE = new TextEncoder().encode("type.googleapis.com/google.rpc.RetryInfo");

/** A field of a protobuf message that is a message, string or bytes of less than 128 bytes. */
function field(number: number, bytes: Iterable<number>): number[] {
  const content = [...bytes];
  return [number << 3 | 2, content.length, ...content];
}

testWith("gRPC's codes: what is sent again, and what is lost", [PYTHON_GRPC], async () => {
  const delay = [0x10, 0x80, 0xc2, 0xd7, 0x2f]; // nanos: 100,000,000
  const detail = [...field(1, RETRY_INFO_TYPE), ...field(2, field(1, delay))];
  const detailsBin = Uint8Array.from([0x08, 8, ...field(3, detail)]);
  const cases: [{ code: number; details: string; detailsBin?: Uint8Array }, string, boolean][] = [
    [{ code: 8, details: "slow down", detailsBin }, "RESOURCE_EXHAUSTED", true],
    [{ code: 10, details: "" }, "ABORTED", true],
    [{ code: 8, details: "quota" }, "RESOURCE_EXHAUSTED", false],
    [{ code: 3, details: "bad \u{1f41d}" }, "INVALID_ARGUMENT", false],
    [{ code: 12, details: "no metrics" }, "UNIMPLEMENTED", false],
  ];
  await using grpc = await GrpcReceiver.start();
  for (const [refusal, reason, isRetried] of cases) {
    await grpc.refuse(refusal, 1);
    using under = await startPush(
      [exporter({ endpoint: grpc.url, exporter: "otlp-grpc" })],
      [new Counters(["a"]).set],
    );
    await under.push.finish();
    const [{ refused, sent, failures }] = under.push.stats;
    assertEquals({ refused, sent, failures }, {
      refused: isRetried ? 0 : 1,
      sent: isRetried ? 1 : 0,
      failures: { [reason]: 1 },
    }, reason);
    const text = refusal.details === "" ? reason : `${reason}: ${refusal.details}`;
    assert(under.warnings[0].endsWith(text), under.warnings[0]);
  }
});

testWith("points that a collector leaves out are counted and told", [PYTHON_GRPC], async () => {
  const answer = encodePartialSuccess(2, "too old");
  await using http = new HttpReceiver();
  await using grpc = await GrpcReceiver.start();
  http.answer = answer;
  await grpc.answer(answer);
  for (const [protocol, { url }] of [["otlp-http", http], ["otlp-grpc", grpc]] as const) {
    using under = await startPush(
      [exporter({ endpoint: url, exporter: protocol })],
      [new Counters(["a", "b", "c"]).set],
    );
    await under.push.finish();
    const [{ refused, sent }] = under.push.stats;
    assertEquals({ refused, sent }, { refused: 2, sent: 1 });
    assertMatch(under.warnings[0], /has left out 2 of 3 data points: too old$/);
  }
});

Deno.test("an answer that is no answer does no harm", async () => {
  await using http = new HttpReceiver();
  http.answer = Uint8Array.from({ length: 200_000 }, (_, index) => 0x80 | index * 7);
  using under = await startPush([exporter({ endpoint: http.url })], [new Counters(["a"]).set]);
  await under.push.finish();
  assertEquals(under.push.stats[0].sent, 1);
  assertEquals(under.warnings, []);
});

Deno.test("at the end nobody waits long for a collector that is gone", async () => {
  const { url } = await (async () => {
    await using http = new HttpReceiver();
    return http;
  })();
  using under = await startPush([exporter({ endpoint: url })], [new Counters(["a", "b"]).set]);
  await under.push.finish(300);
  const [{ unsent, queued, failures }] = under.push.stats;
  assertEquals({ unsent, queued }, { unsent: 2, queued: 0 });
  assert(failures.connection >= 1);
  assertMatch(under.warnings.at(-1) ?? "", /2 data points could not be pushed .* within 0\.3 s/);
});

Deno.test("a collector that does not answer in time is asked again", async () => {
  await using http = new HttpReceiver();
  const slow = Promise.withResolvers<Response>();
  http.refuse = (attempt) => attempt === 1 ? slow.promise : undefined;
  using under = await startPush(
    [exporter({ endpoint: http.url, timeout: "200ms" })],
    [new Counters(["a"]).set],
  );
  await under.push.finish();
  slow.resolve(new Response(null, { status: 503 }));
  assertEquals(under.push.stats[0].failures, { timeout: 1 });
  assertEquals(under.push.stats[0].sent, 1);
});

Deno.test("series begin when they appear, and anew when their number or their value does", async () => {
  await using http = new HttpReceiver();
  const { received } = http;
  const counters = new Counters(["a", "b"]);
  counters.set.dead.add(1);
  using under = await startPush(
    [exporter({ endpoint: http.url, interval: "100ms" })],
    [counters.set],
  );
  /** The last point of a series once two more requests have come: what was changed is in it. */
  const next = async (name: string) => {
    const count = received.requests.length + 2;
    await received.until(({ requests }) => requests.length >= count);
    const points = received.pointsOf("count").filter(({ attributes }) => attributes.k === name);
    const last = points[points.length - 1];
    return { last, before: points.findLast(({ startNs }) => startNs !== last.startNs) };
  };
  counters.put(0, 10n);
  const a = await next("a");
  assertEquals(a.last.startNs, BigInt(under.startMs) * 1_000_000n);

  counters.set.dead.delete(1);
  counters.put(1, 4n);
  const b = await next("b");
  assert(b.last.startNs > a.last.startNs && b.last.value === 4n, "it was not there at the start");

  counters.set.rows = [["a"], ["c"]];
  counters.set.generations[1] = 2;
  counters.put(1, 9n);
  const c = await next("c");
  assert(c.last.startNs >= b.last.timeNs && c.last.value === 9n, "another key has its number");

  counters.put(0, 3n);
  const fallen = await next("a");
  assert(fallen.before !== undefined && fallen.last.value === 3n);
  assert(fallen.last.startNs >= fallen.before.timeNs, "a value that fell has begun anew");
  await under.push.finish();
});

Deno.test("what is told anew with every read goes on, whatever the numbers of its series", async () => {
  await using http = new HttpReceiver();
  const counters = new Counters(["a", "b"]);
  counters.set.isRetold = true;
  counters.put(0, 5n);
  counters.put(1, 7n);
  using under = await startPush([
    exporter({ endpoint: http.url, interval: "100ms", temporality: "delta" }),
  ], [counters.set]);
  await http.received.until(({ requests }) => requests.length >= 1);
  counters.set.rows = [["b"], ["a"]];
  counters.set.generations.splice(0, 2, 2, 2);
  counters.put(0, 8n);
  counters.put(1, 5n);
  await under.push.finish();
  const told = http.received.pointsOf("count").map((
    { attributes, value },
  ) => [attributes.k, value]);
  assertEquals(told, [["a", 5n], ["b", 7n], ["b", 1n]]);
});

Deno.test("deltas of histograms add up, and a series without news says nothing", async () => {
  await using http = new HttpReceiver();
  const column = histograms([0, 1, 3], [
    { counts: [1n, 2n, 0n, 4n], sum: 50 },
    { counts: [1n, 0n, 0n, 0n], sum: 0 },
  ]);
  const set = singleSet("g/ds", {
    rows: [["a"], ["b"]],
    instrument: { type: "histogram", name: "h", column, isSlots: true },
  });
  using under = await startPush([
    exporter({ endpoint: http.url, interval: "100ms", temporality: "delta" }),
  ], [set]);
  await http.received.until(({ requests }) => requests.length >= 1);
  const { cells, floats, offset } = column;
  cells[offset + 1] += 5n;
  cells[offset + 3] += 1n;
  floats[offset + 4] += 20;
  await under.push.finish();
  const told = http.received.pointsOf("h").map(({ attributes, distribution }) => [
    attributes.k,
    distribution?.count,
    distribution?.sum,
    distribution?.zeroCount,
    distribution?.positive?.bucketCounts,
  ]);
  assertEquals(told, [
    ["a", "7", 50, "1", ["2", "0", "4"]],
    ["b", "1", 0, "1", []],
    ["a", "6", 20, "0", ["5", "0", "1"]],
  ]);
});

Deno.test("series whose labels came out alike are one, which does not go down when one leaves", async () => {
  await using http = new HttpReceiver();
  await using deltas = new HttpReceiver();
  const counters = new Counters(["a", "b", "a"]);
  counters.put(0, 10n);
  counters.put(2, 5n);
  const settings = { interval: "100ms" };
  using under = await startPush([
    exporter({ ...settings, endpoint: http.url }),
    exporter({ ...settings, endpoint: deltas.url, temporality: "delta" }),
  ], [counters.set]);
  /** Two pushes: what was changed is in the second. */
  const push = async () => {
    const before = http.received.requests.length;
    await http.received.until(({ requests }) => requests.length >= before + 2);
  };
  const last = () =>
    http.received.pointsOf("count").findLast(({ attributes }) => attributes.k === "a");
  await push();
  assertEquals(last()?.value, 15n);
  counters.set.rows = [["a"], ["b"], ["c"]];
  counters.set.generations[2] = 2;
  counters.put(2, 1n);
  counters.put(0, 12n);
  await push();
  assertEquals(last()?.value, 17n);
  assertEquals(last()?.startNs, BigInt(under.startMs) * 1_000_000n);
  await under.push.finish();
  for (const { received } of [http, deltas]) {
    for (const { points } of received.requests) {
      const names = points.map(({ attributes }) => attributes.k);
      assertEquals(new Set(names).size, names.length, "each label once in a push");
    }
  }
  const told = deltas.received.pointsOf("count").filter(({ attributes }) => attributes.k === "a");
  assertEquals(told.reduce((sum, { value }) => sum + BigInt(value ?? 0), 0n), 17n);
});
