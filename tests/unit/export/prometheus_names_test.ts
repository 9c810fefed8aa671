// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/errors.ts";
import {
  type NamedInstrument,
  translateLabels,
  translateMetricName,
} from "../../../src/export/mod.ts";
import { translateLabelName } from "../../../src/gadget/mod.ts";

type Row = [name: string, unit: string, type: NamedInstrument["type"], want: string, unit: string];

Deno.test("metric names follow OpenTelemetry's translation to Prometheus", () => {
  const rows: Row[] = [
    ["count", "", "counter", "count_total", ""],
    ["foo.bar", "By", "counter", "foo_bar_bytes_total", "bytes"],
    ["proc.pid", "", "gauge", "proc_pid", ""],
    ["a--b__c", "", "gauge", "a_b_c", ""],
    ["_private_", "", "gauge", "private", ""],
    ["ns:name", "", "gauge", "ns:name", ""],
    ["3rd.disk", "", "gauge", "_3rd_disk", ""],
    ["größe", "", "gauge", "gr_e", ""],

    ["wait", "s", "histogram", "wait_seconds", "seconds"],
    ["wait", "ms", "histogram", "wait_milliseconds", "milliseconds"],
    ["wait", "us", "histogram", "wait_microseconds", "microseconds"],
    ["wait", "\u00b5s", "histogram", "wait_microseconds", "microseconds"],
    ["wait", "\u03bcs", "histogram", "wait_microseconds", "microseconds"],
    ["wait", "ns", "histogram", "wait_nanoseconds", "nanoseconds"],
    ["size", "KiBy", "gauge", "size_kibibytes", "kibibytes"],
    ["size", "kBy", "gauge", "size_kilobytes", "kilobytes"],
    ["size", "KBy", "gauge", "size_kilobytes", "kilobytes"],
    ["size", "TiBy", "gauge", "size_tebibytes", "tebibytes"],
    ["load", "%", "gauge", "load_percent", "percent"],
    ["heat", "Cel", "gauge", "heat_celsius", "celsius"],
    ["clock", "Hz", "gauge", "clock_hertz", "hertz"],
    ["rate", "By/s", "gauge", "rate_bytes_per_second", "bytes_per_second"],
    ["rate", "By/m", "gauge", "rate_bytes_per_minute", "bytes_per_minute"],
    ["rate", "{packets}/s", "gauge", "rate_per_second", "per_second"],
    ["rate", "m/s", "gauge", "rate_meters_per_second", "meters_per_second"],

    ["wait_seconds", "s", "histogram", "wait_seconds", "seconds"],
    ["seconds.waited", "s", "gauge", "seconds_waited", ""],
    ["bytes_per_second", "By/s", "gauge", "bytes_per_second", "bytes_per_second"],
    ["packets", "{packet}", "counter", "packets_total", ""],
    ["calls", "calls", "counter", "calls_total", "calls"],
    ["work", "req-uests", "gauge", "work_req_uests", "req_uests"],

    ["total", "", "counter", "total", ""],
    ["total.calls", "", "counter", "calls_total", ""],
    ["calls_total", "", "counter", "calls_total", ""],
    ["cpu_total", "s", "counter", "cpu_seconds_total", "seconds"],
    ["calls_total", "", "gauge", "calls_total", ""],
    ["used", "1", "gauge", "used_ratio", "ratio"],
    ["ratio.used", "1", "gauge", "used_ratio", "ratio"],
    ["used", "1", "counter", "used_total", ""],
    ["used", "1", "histogram", "used", ""],
  ];
  for (const [name, unit, type, want, wantUnit] of rows) {
    const got = translateMetricName({ name, unit, type });
    assertEquals([name, unit, type, got.name, got.unit], [name, unit, type, want, wantUnit]);
  }
});

Deno.test("the prefix stands before every name and takes part in the translation", () => {
  const instrument = { name: "3.calls", unit: "", type: "counter" } as const;
  assertEquals(translateMetricName(instrument, "node-a_").name, "node_a_3_calls_total");
  assertEquals(translateMetricName(instrument, "1x").name, "_1x_3_calls_total");
});

Deno.test("a name without anything that Prometheus allows is refused", () => {
  const error = assertThrows(
    () => translateMetricName({ name: "…", unit: "s", type: "gauge" }),
    UsageError,
    '"…"',
  );
  assertEquals(error.hint?.includes("metrics.name"), true);
});

Deno.test("label names keep letters, digits and single underscores, and never start with one", () => {
  const rows: [attribute: string, want: string][] = [
    ["comm", "comm"],
    ["proc.comm", "proc_comm"],
    ["http.request--method", "http_request_method"],
    ["2nd", "key_2nd"],
    ["_hidden", "key_hidden"],
    ["__name__", "key_name_"],
    ["a:b", "a_b"],
    ["état", "key_tat"],
    ["", "key_"],
  ];
  for (const [attribute, want] of rows) assertEquals(translateLabelName(attribute), want);
});

Deno.test("attributes that become one label share it in the order of their names", () => {
  assertEquals(translateLabels(["a_b", "x", "a.b"], new Set()), [
    { name: "a_b", sources: [2, 0] },
    { name: "x", sources: [1] },
  ]);
});

Deno.test("an attribute cannot take a reserved label's place", () => {
  assertEquals(translateLabels(["le", "otel.scope.name"], new Set(["le", "otel_scope_name"])), [
    { name: "exported_le", sources: [0] },
    { name: "exported_otel_scope_name", sources: [1] },
  ]);
});
