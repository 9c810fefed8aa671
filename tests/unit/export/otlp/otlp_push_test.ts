/** What arrives at collectors, as the official definitions decode it. */

// @ts-types="../../_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { testWith } from "../../../e2e/cases.ts";
import { CertificateAuthority } from "../../../e2e/certificates.ts";
import {
  GrpcReceiver,
  HttpReceiver,
  PYTHON_GRPC,
  type Received,
} from "../../../e2e/otlp_receiver.ts";
import type { ReceivedPoint } from "../../../e2e/otlp_points.ts";
import { Sandbox } from "../../../e2e/sandbox.ts";
import { FakeMetricSet, floats, histograms, integers, singleSet } from "../fake_metric_set.ts";
import { exporter, startPush } from "./exporters.ts";

const ROWS = [["zero", "a"], ["one", "b\n\u{1f41d}"]];
const BIG = 2n ** 63n - 1n;

/** Two series with an instrument of every kind, and the overflow series. */
function allKinds(): FakeMetricSet {
  const set = new FakeMetricSet("gadget/source", ["key.name", "k"], {
    rows: [["", ""], ...ROWS],
    instruments: [
      { type: "counter", name: "proc.events", column: integers([7n, BIG, 2n ** 53n + 1n]) },
      { type: "counter", name: "float", unit: "s", column: floats([0.5, 1.25, 1e300]) },
      { type: "gauge", name: "signed", column: integers([0n, -5n, 3n], { signed: true }) },
      { type: "gauge", name: "address", column: integers([0n, 2n ** 64n - 2048n, 1n]) },
      { type: "gauge", name: "odd", column: floats([0, NaN, -Infinity]) },
      {
        type: "histogram",
        name: "latency",
        unit: "\u00b5s",
        isSlots: true,
        column: histograms([0, 1, 3, 7], [
          { counts: [0n, 0n, 0n, 0n, 0n], sum: 0 },
          { counts: [4n, 0n, 2n ** 60n, 0n, 9n], sum: 99 },
          { counts: [0n, 0n, 0n, 0n, 0n], sum: 0 },
        ]),
      },
      {
        type: "histogram",
        name: "sizes",
        unit: "By",
        column: histograms([0.5, 100], [
          { counts: [0n, 0n, 1n], sum: 1000 },
          { counts: [1n, 2n, 3n], sum: 500.25 },
          { counts: [0n, 0n, 0n], sum: 0 },
        ]),
      },
      {
        type: "histogram",
        name: "below_zero",
        column: histograms([-1, 0, 1, 3], [
          { counts: [1n, 0n, 0n, 0n, 0n], sum: -3 },
          { counts: [1n, 1n, 0n, 0n, 0n], sum: 4 },
          { counts: [0n, 0n, 0n, 0n, 0n], sum: 0 },
        ]),
      },
    ],
  });
  set.overflowSeries = 0;
  return set;
}

/** What stands of a point, without times. */
function essence({ metric, unit, shape, attributes, value, distribution }: ReceivedPoint): unknown {
  const { count, sum, bucketCounts, explicitBounds, scale, zeroCount, positive } = distribution ??
    { count: "" };
  return distribution === undefined ? { metric, unit, shape, attributes, value } : {
    ...{ metric, unit, shape, attributes, count, sum },
    ...(shape === "histogram"
      ? { bucketCounts, explicitBounds }
      : { scale, zeroCount, offset: positive?.offset, counts: positive?.bucketCounts }),
  };
}

const ONE = { "key.name": "zero", k: "a" };
const TWO = { "key.name": "one", k: "b\n\u{1f41d}" };
const OVER = { "otel.metric.overflow": true };
const sum = (metric: string, unit = "") => ({ metric, unit, shape: "sum" });
const gauge = (metric: string) => ({ metric, unit: "", shape: "gauge" });
const latency = { metric: "latency", unit: "us", shape: "exponentialHistogram" };
const sizes = { metric: "sizes", unit: "By", shape: "histogram" };
const belowZero = { metric: "below_zero", unit: "", shape: "histogram" };
const NOTHING = { count: "0", sum: 0 };

const EXPECTED = [
  { ...sum("proc.events"), attributes: OVER, value: 7n },
  { ...sum("proc.events"), attributes: ONE, value: BIG },
  { ...sum("proc.events"), attributes: TWO, value: 2n ** 53n + 1n },
  { ...sum("float", "s"), attributes: OVER, value: 0.5 },
  { ...sum("float", "s"), attributes: ONE, value: 1.25 },
  { ...sum("float", "s"), attributes: TWO, value: 1e300 },
  { ...gauge("signed"), attributes: OVER, value: 0n },
  { ...gauge("signed"), attributes: ONE, value: -5n },
  { ...gauge("signed"), attributes: TWO, value: 3n },
  { ...gauge("address"), attributes: OVER, value: 0n },
  { ...gauge("address"), attributes: ONE, value: 2 ** 64 - 2048 },
  { ...gauge("address"), attributes: TWO, value: 1n },
  { ...gauge("odd"), attributes: OVER, value: 0 },
  { ...gauge("odd"), attributes: ONE, value: NaN },
  { ...gauge("odd"), attributes: TWO, value: -Infinity },
  { ...latency, attributes: OVER, ...NOTHING, scale: 0, zeroCount: "0", offset: 0, counts: [] },
  {
    ...latency,
    attributes: ONE,
    count: String(2n ** 60n + 13n),
    sum: 99,
    scale: 0,
    zeroCount: "4",
    // Slot 2, {2, 3}, is bucket 1, (2, 4]; slot 4, open above, is bucket 3, (8, 16].
    offset: 1,
    counts: [String(2n ** 60n), "0", "9"],
  },
  { ...latency, attributes: TWO, ...NOTHING, scale: 0, zeroCount: "0", offset: 0, counts: [] },
  ...[
    { attributes: OVER, count: "1", sum: 1000, bucketCounts: ["0", "0", "1"] },
    { attributes: ONE, count: "6", sum: 500.25, bucketCounts: ["1", "2", "3"] },
    { attributes: TWO, ...NOTHING, bucketCounts: ["0", "0", "0"] },
  ].map((point) => ({ ...sizes, ...point, explicitBounds: [0.5, 100] })),
  ...[
    { attributes: OVER, count: "1", bucketCounts: ["1", "0", "0", "0", "0"] },
    { attributes: ONE, count: "2", bucketCounts: ["1", "1", "0", "0", "0"] },
    { attributes: TWO, count: "0", bucketCounts: ["0", "0", "0", "0", "0"] },
  ].map((point) => ({ ...belowZero, sum: undefined, ...point, explicitBounds: [-1, 0, 1, 3] })),
];

testWith("every kind of metric arrives as it is, whatever the protocol and the compression", [
  PYTHON_GRPC,
], async () => {
  await using http = new HttpReceiver();
  await using grpc = await GrpcReceiver.start();
  const ways: [Received, Parameters<typeof exporter>[0]][] = [
    [http.received, { endpoint: http.url }],
    [http.received, { endpoint: http.url, compression: "gzip" }],
    [http.received, { endpoint: http.url, exporter: "otlp-http-json" }],
    [http.received, { endpoint: http.url, exporter: "otlp-http-json", compression: "gzip" }],
    [grpc.received, { endpoint: grpc.url, exporter: "otlp-grpc" }],
    [grpc.received, { endpoint: grpc.url, exporter: "otlp-grpc", compression: "gzip" }],
  ];
  for (const [received, settings] of ways) {
    received.requests.length = 0;
    using under = await startPush([exporter({ ...settings, headers: "x-one=1,x-two=a%2Cb" })], [
      allKinds(),
    ]);
    await under.push.finish();
    const [request, ...others] = received.requests;
    assertEquals(others.length, 0);
    assertEquals(request.resource, { "service.name": "test" });
    assertEquals(request.points.map(essence), EXPECTED, JSON.stringify(settings));
    for (const point of request.points) {
      assertEquals(point.scope, "gadget/source");
      assertEquals(point.temporality, point.shape === "gauge" ? undefined : 2);
      assertEquals(point.isMonotonic, point.shape === "sum" ? true : undefined);
      assertEquals(
        point.startNs,
        point.shape === "gauge" ? 0n : BigInt(under.startMs) * 1_000_000n,
      );
      assert(point.timeNs >= BigInt(under.startMs) * 1_000_000n);
    }
    const { headers } = request;
    assertEquals([headers.get("x-one"), headers.get("x-two")], ["1", "a,b"]);
    assertEquals(headers.get("user-agent"), "kmeter/1.2.3");
    if (received === http.received) {
      assertEquals(headers.get("content-encoding"), settings.compression);
      assertEquals(headers.get(":path"), "/v1/metrics");
    }
    const [{ sent, refused, queued, unsent }] = under.push.stats;
    assertEquals({ sent, refused, queued, unsent }, {
      sent: EXPECTED.length,
      refused: 0,
      queued: 0,
      unsent: 0,
    });
    assertEquals(under.warnings, []);
  }
});

Deno.test("slots as explicit buckets keep their exact bounds", async () => {
  await using http = new HttpReceiver();
  using under = await startPush(
    [exporter({ endpoint: http.url, histograms: "explicit" })],
    [allKinds()],
  );
  await under.push.finish();
  const [, point] = http.received.pointsOf("latency");
  assertEquals(point.shape, "histogram");
  assertEquals(point.distribution?.explicitBounds, [0, 1, 3, 7]);
  assertEquals(point.distribution?.bucketCounts, ["4", "0", String(2n ** 60n), "0", "9"]);
});

Deno.test("kmeter's own metrics lose their endings, and get units", async () => {
  await using http = new HttpReceiver();
  const own = [
    {
      name: "kmeter_program_run_time_seconds_total",
      help: "Time.",
      type: "counter",
      values: [{ labels: { program: "p" }, value: 1.5 }],
    },
    {
      name: "process_resident_memory_bytes",
      help: "Size.",
      type: "gauge",
      values: [{ labels: {}, value: 5 }],
    },
  ] as const;
  const set = singleSet("g/ds", {
    rows: [["v"]],
    instrument: { type: "counter", name: "count", column: integers([1n]) },
  });
  const exporters = [
    exporter({ endpoint: http.url }),
    exporter({ endpoint: http.url, collectKmeterMetrics: "false" }),
  ];
  using under = await startPush(exporters, [set], { own, prefix: "mine" });
  await under.push.finish();
  const { points } = http.received;
  assertEquals(
    points.filter(({ scope }) => scope === "kmeter").map(essence),
    [
      {
        ...sum("kmeter_program_run_time", "s"),
        attributes: { program: "p" },
        value: 1.5,
      },
      { ...gauge("process_resident_memory"), unit: "By", attributes: {}, value: 5 },
    ],
  );
  assertEquals(http.received.pointsOf("mine.count").length, 2, "two exporters, one prefix");
});

Deno.test("a large set goes in several requests, and every series is in one of them", async () => {
  await using http = new HttpReceiver();
  const count = 50_000;
  const set = singleSet("g/ds", {
    rows: Array.from({ length: count }, (_, series) => [`series ${series}`]),
    instrument: {
      type: "counter",
      name: "count",
      column: integers(Array.from({ length: count }, (_, series) => BigInt(series))),
    },
  });
  using under = await startPush([exporter({ endpoint: http.url })], [set]);
  await under.push.finish();
  const { requests, points } = http.received;
  assert(requests.length > 1);
  for (const { headers } of requests) {
    const bytes = Number(headers.get("content-length"));
    assert(bytes > 0 && bytes < 1.1 * 2 ** 20, String(bytes));
  }
  const total = points.reduce((sum, { value }) => sum + BigInt(value ?? -1), 0n);
  assertEquals(total, BigInt(count) * BigInt(count - 1) / 2n);
  assertEquals(new Set(points.map(({ attributes }) => attributes.k)).size, count);
});

testWith(
  "only a collector of a known CA gets anything",
  ["/usr/bin/openssl", PYTHON_GRPC],
  async () => {
    using sandbox = new Sandbox();
    const ca = await CertificateAuthority.create(sandbox, "ca");
    const files = await ca.sign("server");
    const tls = { cert: Deno.readTextFileSync(files.cert), key: Deno.readTextFileSync(files.key) };
    await using http = new HttpReceiver({ tls });
    await using grpc = await GrpcReceiver.start({ tls: files });
    const set = singleSet("g/ds", {
      rows: [["v"]],
      instrument: { type: "counter", name: "count", column: integers([1n]) },
    });
    for (
      const [protocol, { url, received }] of [["otlp-http", http], ["otlp-grpc", grpc]] as const
    ) {
      const settings = { exporter: protocol, endpoint: url };
      using stranger = await startPush([exporter(settings)], [set]);
      await stranger.push.finish(500);
      assertMatch(stranger.warnings[0], /tries again: [^\n]*(certificate|UnknownIssuer)/i);
      assertEquals(received.requests.length, 0);

      using known = await startPush([exporter({ ...settings, caFile: ca.cert })], [set]);
      await known.push.finish();
      assertEquals(known.warnings, []);
      assertEquals(received.pointsOf("count").length, 1);
    }
  },
);

/** Says which of these its thread could do. */
const ATTEMPTS = `
const attempts = {
  "connect elsewhere": () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
  "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  "read": () => Deno.readTextFile("/etc/passwd"),
  "write": () => Deno.writeTextFile("/dev/null", ""),
  "start a program": () => new Deno.Command("/bin/true").output(),
  "call native code": () => Deno.dlopen("libc.so.6", {}),
  "read a variable": () => Deno.env.get("HOME"),
  "connect to its collector": async () => (await fetch("URL")).body?.cancel(),
};
const done = [];
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    done.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) done.push(name + ": " + error);
  }
}
postMessage(done);
`;

Deno.test("the thread that pushes may connect to its collectors, and nothing else", async () => {
  await using http = new HttpReceiver();
  http.refuse = () => new Response(null);
  const RealWorker = globalThis.Worker;
  let options: WorkerOptions | undefined;
  globalThis.Worker = class {
    constructor(_url: URL, given: WorkerOptions) {
      options = given;
      throw new Error("enough is known");
    }
  } as unknown as typeof Worker;
  try {
    await assertRejects(() => startPush([exporter({ endpoint: http.url })], []), Error, "enough");
  } finally {
    globalThis.Worker = RealWorker;
  }
  const code = ATTEMPTS.replace("URL", http.url);
  const worker = new RealWorker(`data:text/javascript,${encodeURIComponent(code)}`, options);
  const done = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
  worker.terminate();
  assertEquals(done, ["connect to its collector"]);
});
