/** What makes an exporter, and what is refused. */

// @ts-types="../../_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { EXPORTER_FLAGS, exportersOf } from "../../../../src/cli/exporter_flags.ts";
import { parseFlags } from "../../../../src/cli/flags.ts";
import { UsageError } from "../../../../src/errors.ts";
import { type ExporterOptions, resourceAttributes } from "../../../../src/export/mod.ts";
import { Sandbox } from "../../../e2e/sandbox.ts";

/** Exporters of a command line and variables. */
function exporters(
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): ExporterOptions[] {
  return exportersOf(parseFlags(args, EXPORTER_FLAGS), (name) => variables[name]);
}

const OTLP = ["--otel-metrics-exporter", "otlp"];

Deno.test("nothing is pushed unless it is asked for, whatever the variables say", () => {
  assertEquals(exporters([], { OTEL_EXPORTER_OTLP_ENDPOINT: "http://a:4318" }), []);
});

Deno.test("otlp without variables has the defaults of OpenTelemetry", () => {
  assertEquals(exporters(OTLP), [{
    name: "otlp",
    protocol: "http/protobuf",
    url: "http://localhost:4318/v1/metrics",
    headers: [],
    temporality: "cumulative",
    histograms: "exponential",
    compression: "none",
    intervalMs: 60_000,
    timeoutMs: 10_000,
    tls: {},
    maxQueueBytes: 16 * 1024 * 1024,
    includesOwnMetrics: true,
  }]);
});

Deno.test("the standard variables, and those for metrics before those for all", () => {
  const E = "OTEL_EXPORTER_OTLP_";
  const M = "OTEL_EXPORTER_OTLP_METRICS_";
  const cases: [Record<string, string>, Partial<ExporterOptions>][] = [
    [{ [`${E}ENDPOINT`]: "http://c:4318" }, { url: "http://c:4318/v1/metrics" }],
    [{ [`${E}ENDPOINT`]: "http://c/base/" }, { url: "http://c/base/v1/metrics" }],
    [{ [`${M}ENDPOINT`]: "http://c/exact" }, { url: "http://c/exact" }],
    [{ [`${M}ENDPOINT`]: "http://c" }, { url: "http://c/" }],
    [
      { [`${M}ENDPOINT`]: "http://m/x", [`${E}ENDPOINT`]: "http://e" },
      { url: "http://m/x" },
    ],
    [{ [`${E}PROTOCOL`]: "grpc" }, { protocol: "grpc", url: "http://localhost:4317" }],
    [
      { [`${E}PROTOCOL`]: "grpc", [`${M}PROTOCOL`]: "http/json" },
      { protocol: "http/json", url: "http://localhost:4318/v1/metrics" },
    ],
    [
      { [`${E}PROTOCOL`]: "grpc", [`${E}ENDPOINT`]: "c:4317", [`${E}INSECURE`]: "true" },
      { url: "http://c:4317" },
    ],
    [{ [`${E}PROTOCOL`]: "grpc", [`${E}ENDPOINT`]: "c:4317" }, { url: "https://c:4317" }],
    [{ [`${E}PROTOCOL`]: "grpc", [`${E}ENDPOINT`]: "http://[::1]" }, { url: "http://[::1]" }],
    [
      { [`${E}HEADERS`]: " api-key = a%2Cb%3D , Tenant=x=y " },
      { headers: [["api-key", "a,b="], ["tenant", "x=y"]] },
    ],
    [{ [`${E}COMPRESSION`]: "gzip" }, { compression: "gzip" }],
    [{ [`${E}TIMEOUT`]: "2500" }, { timeoutMs: 2500 }],
    [{ OTEL_METRIC_EXPORT_INTERVAL: "5000" }, { intervalMs: 5000 }],
    [{ [`${M}TEMPORALITY_PREFERENCE`]: "Delta" }, { temporality: "delta" }],
    [{ [`${M}TEMPORALITY_PREFERENCE`]: "lowmemory" }, { temporality: "delta" }],
    [
      { [`${M}DEFAULT_HISTOGRAM_AGGREGATION`]: "explicit_bucket_histogram" },
      { histograms: "explicit" },
    ],
    [{ [`${E}COMPRESSION`]: "", [`${E}ENDPOINT`]: " " }, { compression: "none" }],
  ];
  for (const [variables, expected] of cases) {
    const [actual] = exporters(OTLP, variables);
    for (const [key, value] of Object.entries(expected)) {
      assertEquals(actual[key as keyof ExporterOptions], value, JSON.stringify(variables));
    }
  }
});

Deno.test("flags win over variables, and other exporters take nothing from them", () => {
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://secret:4318",
    OTEL_EXPORTER_OTLP_HEADERS: "key=secret",
    OTEL_METRIC_EXPORT_INTERVAL: "1000",
  };
  const [otlp, other] = exporters([
    ...OTLP,
    ...["--otel-exporter", "otlp.interval=2s", "--otel-metrics-exporter", "b-2"],
    ...["--otel-exporter", "b-2.exporter=otlp-grpc", "--otel-exporter", "b-2.endpoint=other:1"],
    ...["--otel-exporter", "b-2.insecure=true", "--otel-exporter", "b-2.temporality=delta"],
  ], variables);
  assertEquals([otlp.url, otlp.intervalMs], ["http://secret:4318/v1/metrics", 2000]);
  assertEquals(otlp.headers, [["key", "secret"]]);
  assertEquals([other.name, other.url, other.temporality], ["b-2", "http://other:1", "delta"]);
  assertEquals([other.headers, other.intervalMs], [[], 60_000]);
});

Deno.test("every mistake is one error that says where, and tells no secret", () => {
  using sandbox = new Sandbox();
  const noPem = sandbox.write("no.pem", "hello");
  const E = "OTEL_EXPORTER_OTLP_";
  const named = (...settings: readonly string[]) => [
    ...["--otel-metrics-exporter", "a"],
    ...["exporter=otlp-http", "endpoint=http://c", ...settings]
      .flatMap((setting) => ["--otel-exporter", `a.${setting}`]),
  ];
  const cases: [readonly string[], Record<string, string>, RegExp][] = [
    [["--otel-metrics-exporter", "otpl"], {}, /"otpl": there is no such exporter/],
    [["--otel-exporter", "a.endpoint=http://c"], {}, /sets up "a", and nothing is pushed/],
    [[...OTLP, "--otel-exporter", "otlp=secret"], {}, /"otlp=…": not of the form NAME\.KEY=VALUE/],
    [
      ["--otel-metrics-exporter", "a", "--otel-exporter", "a.endpoint=http://c"],
      {},
      /Exporter "a" has no "exporter"/,
    ],
    [named("endpiont=x"), {}, /--otel-exporter a\.endpiont: an exporter has no "endpiont"/],
    [named("exporter=zipkin"), {}, /a\.exporter "zipkin": wanted otlp-http, otlp-http-json/],
    [named("endpoint=c:4318"), {}, /a\.endpoint "c:4318": no URL that begins with http/],
    [named("endpoint=ftp://c"), {}, /its scheme is ftp/],
    [named("endpoint=http://"), {}, /a\.endpoint "http:\/\/": no URL/],
    [named("endpoint=http://me:secret@c"), {}, /"http:\/\/…@c": a URL with a password/],
    [named("temporality=Delta"), {}, /a\.temporality "Delta": wanted cumulative, delta/],
    [named("interval=1ms"), {}, /a\.interval "1ms": wanted a duration of at least 100ms/],
    [named("interval=soon"), {}, /a\.interval "soon": wanted a duration/],
    [named("timeout=0"), {}, /a\.timeout "0": wanted a duration of at least 1ms/],
    [named("compression=zstd"), {}, /a\.compression "zstd": wanted none, gzip/],
    [named("maxQueueBytes=1MB"), {}, /a\.maxQueueBytes "1MB": wanted a whole number of bytes/],
    [named("headers=secret"), {}, /a\.headers: part 1 is not of the form name=value/],
    [named("headers=a=%zz"), {}, /a\.headers: the value of "a" is no percent-encoded UTF-8/],
    [named("headers=a=%0Asecret"), {}, /header "a" has a value that is not printable ASCII/],
    [named("headers=Bearer secret="), {}, /: part 1 begins with no name of a header/],
    [named("headers=Host=secret"), {}, /header "Host" is not for you to set/],
    [named("caFile=/x"), {}, /a\.caFile is about TLS, and http:\/\/c\/v1\/metrics is without/],
    [
      named("endpoint=https://c", "caFile=/does/not/exist"),
      {},
      /Cannot read "\/does\/not\/exist", which --otel-exporter a\.caFile names: ENOENT from open/,
    ],
    [named("endpoint=https://c", `caFile=${noPem}`), {}, /no\.pem": no certificate in PEM/],
    [named("endpoint=https://c", `certFile=${noPem}`), {}, /a certificate and a key, or neither/],
    [
      named("exporter=otlp-grpc", "endpoint=http://c/path"),
      {},
      /a\.endpoint "http:\/\/c\/path": gRPC endpoints have no path/,
    ],
    [
      named("exporter=otlp-grpc", "endpoint=https://c", "insecure=true"),
      {},
      /it asks for TLS, and --otel-exporter a\.insecure for none/,
    ],
    [OTLP, { [`${E}PROTOCOL`]: "http" }, /OTEL_EXPORTER_OTLP_PROTOCOL "http": wanted .*grpc/],
    [OTLP, { [`${E}TIMEOUT`]: "10s" }, /OTLP_TIMEOUT "10s": wanted a number of milliseconds/],
    [
      OTLP,
      { OTEL_METRIC_EXPORT_INTERVAL: "-1" },
      /OTEL_METRIC_EXPORT_INTERVAL "-1": wanted a number of milliseconds/,
    ],
    [
      OTLP,
      { [`${E}METRICS_TEMPORALITY_PREFERENCE`]: "toString" },
      /PREFERENCE "toString": wanted cumulative, delta, lowmemory/,
    ],
    [OTLP, { [`${E}ENDPOINT`]: "localhost:4318" }, /OTEL_EXPORTER_OTLP_ENDPOINT "localhost:4318"/],
    [OTLP, { [`${E}HEADERS`]: "key=secret,secret" }, /OTLP_HEADERS: part 2 is not of the form/],
  ];
  for (const [args, variables, pattern] of cases) {
    const error = assertThrows(() => exporters(args, variables), UsageError);
    assertMatch(error.message, pattern);
    assert(!`${error.message} ${error.hint}`.includes("secret"), error.message);
  }
});

const FACTS = {
  hostname: "h",
  arch: "x86_64",
  kernelRelease: "6.1.0",
  osRelease: "PRETTY_NAME=\"Debian 12\"\nNAME='Debian'\nVERSION_ID=12\n# no\n",
};

Deno.test("a resource says what runs where", () => {
  const of = (variables: Record<string, string>) => {
    const environment = (name: string) => variables[name];
    const { "service.instance.id": id, ...rest } = Object.fromEntries(
      resourceAttributes(FACTS, { version: "1.2", environment }),
    );
    return { id, rest };
  };
  const { id, rest } = of({});
  assertMatch(id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  assertEquals(rest, {
    "service.name": "kmeter",
    "service.version": "1.2",
    "host.name": "h",
    "host.arch": "amd64",
    "os.type": "linux",
    "os.name": "Debian",
    "os.version": "12",
    "os.description": "Debian 12",
    "os.kernel.release": "6.1.0",
  });
  const chosen = of({
    OTEL_RESOURCE_ATTRIBUTES: "service.name=a,deployment.environment=x%2Cy,host.name=",
    OTEL_SERVICE_NAME: "b",
  }).rest;
  assertEquals(
    [chosen["service.name"], chosen["deployment.environment"], "host.name" in chosen],
    ["b", "x,y", false],
  );
  assertThrows(() => of({ OTEL_RESOURCE_ATTRIBUTES: "nothing" }), UsageError, "part 1");
});
