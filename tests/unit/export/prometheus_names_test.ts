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

function assertRows(rows: readonly Row[]): void {
  for (const [name, unit, type, want, wantUnit] of rows) {
    const got = translateMetricName({ name, unit, type });
    assertEquals([name, unit, type, got.name, got.unit], [name, unit, type, want, wantUnit]);
  }
}

Deno.test("the specification's own examples", () => {
  assertRows([
    // Abbreviations become words; the unit stands before the type's suffix.
    ["wait", "ms", "gauge", "wait_milliseconds", "milliseconds"],
    ["io", "By", "counter", "io_bytes_total", "bytes"],
    // What is in braces is dropped: a count of things has no unit.
    ["received", "{packet}", "counter", "received_total", ""],
    // "1" is a ratio, foo/bar is foo_per_bar.
    ["speed", "foo/bar", "gauge", "speed_foo_per_bar", "foo_per_bar"],
    ["speed", "m/s", "gauge", "speed_meters_per_second", "meters_per_second"],
    // A name that contains the unit does not end in it.
    [
      "seconds_before_my_birthday",
      "s",
      "gauge",
      "seconds_before_my_birthday_seconds",
      "seconds",
    ],
    // Names that end in it, before or without the type's suffix, keep what they have.
    ["http.server.duration_seconds", "s", "histogram", "http_server_duration_seconds", "seconds"],
    ["cpu.seconds.total", "s", "counter", "cpu_seconds_total", "seconds"],
    // Characters become "_", runs of "_" one.
    ["(lambda).function.executions(#)", "", "gauge", "lambda_function_executions", ""],
  ]);
});

Deno.test("every unit of the specification's table has its word", () => {
  const words = "d days h hours min minutes s seconds ms milliseconds us microseconds " +
    "ns nanoseconds By bytes KiBy kibibytes MiBy mebibytes GiBy gibibytes TiBy tebibytes " +
    "kBy kilobytes MBy megabytes GBy gigabytes TBy terabytes m meters V volts A amperes " +
    "J joules W watts g grams Cel celsius Hz hertz % percent";
  for (const [, unit, word] of words.matchAll(/(\S+) (\S+)/g)) {
    assertRows([["x", unit, "histogram", `x_${word}`, word]]);
  }
});

Deno.test("metric names follow OpenTelemetry's translation to Prometheus", () => {
  assertRows([
    ["count", "", "counter", "count_total", ""],
    ["foo.bar", "By", "counter", "foo_bar_bytes_total", "bytes"],
    ["proc.pid", "", "gauge", "proc_pid", ""],
    ["a--b__c", "", "gauge", "a_b_c", ""],
    ["_private_", "", "gauge", "private", ""],
    ["ns:name", "", "gauge", "ns:name", ""],
    ["3rd.disk", "", "gauge", "_3rd_disk", ""],
    ["größe", "", "gauge", "gr_e", ""],

    ["wait", "\u00b5s", "histogram", "wait_microseconds", "microseconds"],
    ["wait", "\u03bcs", "histogram", "wait_microseconds", "microseconds"],
    ["size", "KBy", "gauge", "size_kilobytes", "kilobytes"],
    ["rate", "By/s", "gauge", "rate_bytes_per_second", "bytes_per_second"],
    ["rate", "By/m", "gauge", "rate_bytes_per_minute", "bytes_per_minute"],
    ["rate", "By/min", "gauge", "rate_bytes_per_minute", "bytes_per_minute"],
    ["rate", "J/ms", "gauge", "rate_joules_per_millisecond", "joules_per_millisecond"],
    ["rate", "s/By", "gauge", "rate_seconds_per_byte", "seconds_per_byte"],
    ["rate", "1/s", "gauge", "rate_per_second", "per_second"],
    ["rate", "By/{thing}", "gauge", "rate_bytes", "bytes"],
    ["size", "By{resident}", "gauge", "size_bytes", "bytes"],
    ["odd", "{a", "gauge", "odd_a", "a"],
    ["rate", "{packets}/s", "gauge", "rate_per_second", "per_second"],

    ["wait_seconds", "s", "histogram", "wait_seconds", "seconds"],
    ["seconds", "s", "gauge", "seconds", "seconds"],
    ["disk_bytes", "By/s", "gauge", "disk_bytes_bytes_per_second", "bytes_per_second"],
    ["bytes_per_second", "By/s", "gauge", "bytes_per_second", "bytes_per_second"],
    ["calls", "calls", "counter", "calls_total", "calls"],
    ["work", "req-uests", "gauge", "work_req_uests", "req_uests"],

    ["total", "", "counter", "total_total", ""],
    ["total.calls", "", "counter", "total_calls_total", ""],
    ["calls_total", "", "counter", "calls_total", ""],
    ["cpu_total", "s", "counter", "cpu_seconds_total", "seconds"],
    ["calls_total", "", "gauge", "calls_total", ""],
    ["ratio.used", "1", "gauge", "ratio_used_ratio", "ratio"],
    ["ratio", "1", "gauge", "ratio", "ratio"],
    ["used_ratio", "1", "gauge", "used_ratio", "ratio"],
    ["used", "1", "counter", "used_total", ""],
    ["used", "1", "histogram", "used", ""],
  ]);
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
