// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { acceptsGzip, negotiateFormat } from "../../../src/export/content_negotiation.ts";

Deno.test("the Accept header picks the format", () => {
  const rows: [accept: string | null, want: "text" | "openmetrics" | "protobuf"][] = [
    [null, "text"],
    ["", "text"],
    ["*/*", "text"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text"],
    ["application/json", "text"],
    ["text/plain", "text"],
    ["text/plain;version=0.0.4", "text"],
    ["application/openmetrics-text", "openmetrics"],
    ["Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", "openmetrics"],
    ['application/openmetrics-text; version="1.0.0"', "openmetrics"],
    ["application/openmetrics-text;version=0.0.1", "text"],
    ["application/openmetrics-text;version=2.0.0", "text"],
    ["application/openmetrics-text;q=0", "text"],
    ["application/openmetrics-text;q=0.2,text/plain;q=0.3", "text"],
    ["application/openmetrics-text;q=0.3,text/plain;q=0.2", "openmetrics"],
    ["application/openmetrics-text,text/plain", "text"],
    ["application/openmetrics-text,*/*", "openmetrics"],
    ["application/openmetrics-text;q=0.5,*/*", "text"],
    ["application/openmetrics-text;q=0.5,*/*,text/plain;q=0.1", "openmetrics"],
    ["application/openmetrics-text;q=nonsense,text/plain;q=0.1", "text"],
    ["application/openmetrics-text;q=7,text/plain;q=0.1", "text"],
    // Prometheus 2.42, the same with native histograms, and Prometheus 3.
    [
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited," +
      "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "protobuf",
    ],
    [
      "application/vnd.google.protobuf; encoding=delimited; q=0.3; " +
      'proto="io.prometheus.client.MetricFamily",text/plain;version=0.0.4;q=0.4',
      "text",
    ],
    ["application/vnd.google.protobuf", "text"],
    [
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
      "text",
    ],
    ["application/vnd.google.protobuf;proto=other.Message;encoding=delimited,*/*", "text"],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
      "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;" +
      "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "openmetrics",
    ],
    // Prometheus 3 with PrometheusText0.0.4 put first in scrape_protocols.
    [
      "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2",
      "text",
    ],
  ];
  for (const [accept, want] of rows) {
    assertEquals([accept, negotiateFormat(accept)], [accept, want]);
  }
});

Deno.test("gzip is used only if asked for", () => {
  const rows: [header: string | null, want: boolean][] = [
    [null, false],
    ["", false],
    ["identity", false],
    ["gzip", true],
    ["GZIP;q=0.5, br", true],
    ["x-gzip", true],
    ["gzip;q=0", false],
    ["gzip;q=0, *", false],
    ["*", true],
    ["br, deflate", false],
  ];
  for (const [header, want] of rows) assertEquals([header, acceptsGzip(header)], [header, want]);
});
