/** `kmeter run --otel-metrics-exporter`: what collectors get of events that the test makes. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { assertOneError, runCase, testCases, testWith } from "./cases.ts";
import { CertificateAuthority } from "./certificates.ts";
import type { ChildProcess } from "./kmeter_process.ts";
import { GrpcReceiver, HttpReceiver, PYTHON_GRPC, type Received } from "./otlp_receiver.ts";
import type { ReceivedPoint } from "./otlp_points.ts";
import { fixtureGadget, NamedProgram, Sandbox } from "./sandbox.ts";

/** An exporter `t` that pushes five times a second. */
function exporterFlags(settings: Readonly<Record<string, string>>): string[] {
  const all = { exporter: "otlp-http", interval: "200ms", ...settings };
  return [
    ...["--otel-metrics-exporter", "t"],
    ...Object.entries(all).flatMap(([key, value]) => ["--otel-exporter", `t.${key}=${value}`]),
  ];
}

/** Nothing but what says where metrics go. */
const PUSHING = /^(\S+: pushing metrics to \S+ every \S+ s\n)+$/;

/** Counts of a program's execs, in the order in which they came. */
function execsOf(received: Received, program: NamedProgram): ReceivedPoint[] {
  return received.pointsOf("execs").filter(({ attributes }) => attributes.comm === program.name);
}

function sumOf(points: readonly ReceivedPoint[]): bigint {
  return points.reduce((total, { value }) => total + BigInt(value ?? 0), 0n);
}

/** kmeter pushes its own metrics as soon as it runs. */
function untilPushed(received: Received): Promise<void> {
  return received.until(({ requests }) => requests.length > 0);
}

testWith("deltas by HTTP add up through an outage, without root", ["root"], async () => {
  using program = new NamedProgram();
  const first = new HttpReceiver();
  const { received, port } = first;
  let second: HttpReceiver | undefined;
  await runCase({
    name: "outage",
    run: [
      ...["run", "trace_exec", "-o", "none", "--user", "nobody"],
      ...exporterFlags({ endpoint: first.url, temporality: "delta", compression: "gzip" }),
    ],
    during: async (kmeter) => {
      await untilPushed(received);
      await program.run(3);
      await received.until(() => sumOf(execsOf(received, program)) === 3n);
      await first[Symbol.asyncDispose]();
      await kmeter.waitFor("stderr", /exporter t: cannot push to \S+, tries again/);
      await program.run(4);
      second = new HttpReceiver({ port });
      const { received: later } = second;
      await later.until(() => sumOf(execsOf(later, program)) === 4n);
      await program.run(2);
      kmeter.kill("SIGTERM");
    },
    expect: {
      code: 0,
      stdout: "",
      stderr: /^[^\n]*: pushing metrics to [^\n]*\nwarning: [^\n]*\n$/,
    },
    timeoutMs: 60_000,
  });
  const points = [...execsOf(received, program), ...execsOf(second!.received, program)];
  assertEquals(sumOf(points), 9n);
  for (const { temporality, isMonotonic, unit, scope } of points) {
    assertEquals({ temporality, isMonotonic, unit, scope }, {
      temporality: 1,
      isMonotonic: true,
      unit: "",
      scope: "trace_exec/exec",
    });
  }
  assertEquals(second!.received.requests.at(-1)?.headers.get("content-encoding"), "gzip");
  const failures = second!.received.pointsOf("kmeter_otlp_failed_requests");
  assert(failures.some(({ attributes }) => attributes.reason === "connection"));
  await second![Symbol.asyncDispose]();
});

testWith(
  "the standard variables: gRPC with TLS and client certificates, and one push at the end",
  ["root", "/usr/bin/openssl", PYTHON_GRPC],
  async () => {
    using sandbox = new Sandbox();
    const ca = await CertificateAuthority.create(sandbox, "ca");
    const [server, client] = [await ca.sign("server"), await ca.sign("client")];
    await using grpc = await GrpcReceiver.start({
      tls: { ...server, clientCa: ca.cert },
    });
    using program = new NamedProgram();
    await runCase({
      name: "variables",
      run: ["run", "trace_exec", "-o", "json", "--otel-metrics-exporter", "otlp"],
      options: {
        env: {
          OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
          OTEL_EXPORTER_OTLP_ENDPOINT: grpc.url,
          OTEL_EXPORTER_OTLP_CERTIFICATE: ca.cert,
          OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: client.cert,
          OTEL_EXPORTER_OTLP_CLIENT_KEY: client.key,
          OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=blue%20one",
          OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
          OTEL_SERVICE_NAME: "mine",
          OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test",
        },
      },
      during: async (kmeter) => {
        await untilSeen(kmeter, program);
        await program.run(4);
        kmeter.kill("SIGINT");
      },
      expect: { code: 0, stderr: PUSHING },
      timeoutMs: 30_000,
    });
    const { requests } = grpc.received;
    assertEquals(requests.length, 1);
    const [{ resource, headers }] = requests;
    assertEquals(headers.get("x-tenant"), "blue one");
    assertEquals(
      [resource["service.name"], resource["deployment.environment"], resource["host.name"]],
      ["mine", "test", Deno.hostname()],
    );
    assertEquals([resource["os.type"], resource["os.kernel.release"]], ["linux", Deno.osRelease()]);
    const [point, ...others] = execsOf(grpc.received, program);
    assertEquals(others, []);
    assertEquals([point.value, point.temporality], [5n, 2]);
    assert(point.startNs < point.timeNs);
  },
);

/** Runs the program once its execs are seen. */
async function untilSeen(kmeter: ChildProcess, program: NamedProgram): Promise<void> {
  using other = new NamedProgram();
  const seen = kmeter.waitFor("stdout", new RegExp(other.name));
  let isSeen = false;
  seen.then(() => isSeen = true, () => isSeen = true);
  while (!isSeen) await other.run(1);
  await seen;
  await program.run(1);
}

testWith(
  "maps: read in place or drained, deltas and totals say the same",
  ["root", PYTHON_GRPC],
  async () => {
    const gadget = await fixtureGadget("uid_execs");
    using program = new NamedProgram();
    for (const output of ["none", "json"]) {
      await using http = new HttpReceiver();
      await using grpc = await GrpcReceiver.start();
      const uid = "54329";
      await runCase({
        name: output,
        run: [
          ...["run", gadget, "-o", output, "-F", `uid_raw==${uid}`],
          ...exporterFlags({
            endpoint: http.url,
            temporality: "delta",
            exporter: "otlp-http-json",
          }),
          ...["--otel-metrics-exporter", "g", "--otel-exporter", "g.exporter=otlp-grpc"],
          ...["--otel-exporter", `g.endpoint=${grpc.url}`],
        ],
        during: async (kmeter) => {
          await untilPushed(http.received);
          for (let times = 1; times <= 3; times++) {
            await runAs(Number(uid), program, times);
            const { received } = http;
            if (output === "none") {
              const total = BigInt(times * (times + 1) / 2);
              await received.until(() => sumOf(received.pointsOf("execs")) === total);
            }
          }
          kmeter.kill("SIGINT");
        },
        expect: { code: 0, stderr: PUSHING },
        timeoutMs: 30_000,
      });
      assertEquals(sumOf(http.received.pointsOf("execs")), 6n, output);
      assertEquals(grpc.received.pointsOf("execs").map(({ value }) => value), [6n], output);
      const [{ distribution, attributes }] = grpc.received.pointsOf("arguments");
      // Two arguments: slot 2, bucket 1.
      assertEquals(distribution?.positive, { offset: 1, bucketCounts: ["6"] });
      assertEquals(attributes, { uid });
      const counts = http.received.pointsOf("arguments").map(({ distribution }) =>
        Number(distribution?.count)
      );
      assertEquals(counts.reduce((sum, count) => sum + count, 0), 6);
    }
  },
);

/** Runs the program as a user, with one argument. */
async function runAs(uid: number, program: NamedProgram, times: number): Promise<void> {
  for (let done = 0; done < times; done++) {
    const { success } = await new Deno.Command(program.path, { args: ["x"], uid, cwd: "/" })
      .output();
    assert(success);
  }
}

const USAGE: readonly [name: string, flags: readonly string[], error: RegExp][] = [
  ["an exporter that is not there", ["--otel-metrics-exporter", "none"], /no such exporter/],
  [
    "a key that is not there",
    [...exporterFlags({ endpoint: "http://c" }), "--otel-exporter", "t.url=x"],
    /an exporter has no "url"/,
  ],
];

testCases(USAGE.map(([name, flags, stderr]) => ({
  name: `usage: ${name}`,
  run: ["run", "trace_exec", ...flags],
  expect: { code: 2, stdout: "", stderr },
  check: (outcome) => assertOneError(outcome.stderr),
})));

testWith("a broken certificate is told before anything is loaded", ["root"], async () => {
  using sandbox = new Sandbox();
  const caFile = sandbox.write(
    "ca.pem",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  );
  for (const exporter of ["otlp-http", "otlp-grpc"]) {
    await runCase({
      name: exporter,
      run: ["run", "trace_exec", ...exporterFlags({ exporter, endpoint: "https://c", caFile })],
      expect: {
        code: 2,
        stdout: "",
        stderr: /^error: Cannot push metrics: exporter t: its certificate or key: /,
      },
      check: ({ stderr }) => assertOneError(stderr),
    });
  }
});
