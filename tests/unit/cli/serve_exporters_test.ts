/** Exporters of the file of `kmeter serve`. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { exportersOfFile } from "../../../src/cli/serve_exporters.ts";
import { Mistakes, parseServeConfig } from "../../../src/config/mod.ts";
import { FormatError } from "../../../src/errors.ts";
import { EXPORTER_KEYS, type ExporterOptions } from "../../../src/export/mod.ts";
import { Sandbox } from "../../e2e/sandbox.ts";

const VARIABLES: Readonly<Record<string, string>> = {
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318",
  OTEL_EXPORTER_OTLP_HEADERS: "key=secret",
};

/** What a file sets up. Throws: FormatError with its mistakes. */
function exporters(text: string, folder = "/etc/kmeter/"): ExporterOptions[] {
  const keys = { settings: [], gadget: [], exporter: EXPORTER_KEYS };
  const mistakes = new Mistakes("f");
  const config = parseServeConfig(`gadgets: [a]\nexporters:\n${text}`, keys, mistakes);
  const environment = (name: string) => VARIABLES[name];
  const options = exportersOfFile(config.exporters, { folder, environment, mistakes });
  mistakes.refuse("");
  return options;
}

Deno.test("the file wins over variables, which say nothing of exporters but otlp", () => {
  const [otlp, other, plain] = exporters(`
  otlp: {interval: 2s}
  other: {exporter: grpc, endpoint: "c:1", insecure: true, temporality: delta, compression: gzip,
    timeout: 1s, histograms: explicit, maxQueueBytes: 1000, collectKmeterMetrics: false}
  plain: {exporter: otlp-http, endpoint: "http://c", headers: {a: "b, c=d"}}
`);
  assertEquals([otlp.url, otlp.intervalMs], ["http://c:4318/v1/metrics", 2000]);
  assertEquals(otlp.headers, [["key", "secret"]]);
  assertEquals(other, {
    name: "other",
    protocol: "grpc",
    url: "http://c:1",
    headers: [],
    temporality: "delta",
    histograms: "explicit",
    compression: "gzip",
    intervalMs: 60_000,
    timeoutMs: 1000,
    tls: {},
    maxQueueBytes: 1000,
    includesOwnMetrics: false,
  });
  assertEquals(plain.headers, [["a", "b, c=d"]]);
});

Deno.test("files of certificates are found from the folder of the file", () => {
  using sandbox = new Sandbox();
  const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  const path = sandbox.write("ca.pem", pem);
  for (const caFile of ["ca.pem", path]) {
    const text = `  a: {exporter: otlp-http, endpoint: "https://c", caFile: ${caFile}}`;
    assertEquals(exporters(text, sandbox.path("")).map(({ tls }) => tls.ca), [pem]);
  }
});

Deno.test("every mistake is told with its place, and no secret", () => {
  const error = assertThrows(
    () =>
      exporters(`
  a: {exporter: otlp-http}
  b:
    exporter: otlp-http
    endpoint: c:4318
  c:
    exporter: otlp-http
    endpoint: http://c
    headers: Bearer secret=
`),
    FormatError,
  );
  const lines = error.message.split("\n").slice(1);
  assertEquals(lines.length, 3, error.message);
  assertMatch(lines[0], /f:4 \(exporters\.a\): exporter "a" has no "endpoint" \(.*endpoint: http:/);
  assertMatch(lines[1], /f:7 \(exporters\.b\.endpoint\) "c:4318": no URL/);
  assertMatch(lines[2], /f:11 \(exporters\.c\.headers\): part 1 begins with no name of a header/);
  assert(!error.message.includes("secret"), error.message);
});
