// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseFlags } from "../../../src/cli/flags.ts";
import {
  displaySettings,
  durationMsOf,
  listenAddressOf,
  mapSchedules,
  metricsLimitOf,
  orderWarnings,
  RUN_FLAGS,
  scopesOf,
} from "../../../src/cli/run_flags.ts";
import { UsageError } from "../../../src/errors.ts";
import type { DataSourceSpec, GadgetSpec } from "../../../src/gadget/mod.ts";

function dataSource(name: string, kind: "tracer" | "mapiter"): DataSourceSpec {
  return {
    name,
    origin: kind === "tracer" ? { kind, map: name, struct: name } : { kind, map: name },
    annotations: {},
    tags: [],
    fields: [],
    recordSizeBytes: 8,
    valueSizeBytes: 8,
  };
}

const SPEC: GadgetSpec = {
  name: "top",
  description: "",
  dataSources: [dataSource("reads", "mapiter"), dataSource("writes", "mapiter")],
  params: [],
  programs: {},
};

function flagsOf(text: string) {
  return parseFlags(text === "" ? [] : text.split(" "), RUN_FLAGS);
}

const LISTEN: readonly [string, string | undefined][] = [
  ["", undefined],
  ["--metrics", "127.0.0.1:2224"],
  ["--otel-metrics-listen", "127.0.0.1:2224"],
  ["--listen 127.0.0.1:9000", "127.0.0.1:9000"],
  ["--otel-metrics-listen-address 10.0.0.1:80", "10.0.0.1:80"],
  ["--metrics --listen 0.0.0.0:1", "0.0.0.0:1"],
  ["--listen [::1]:9000", "::1:9000"],
];
for (const [text, expected] of LISTEN) {
  Deno.test(`metrics are served ${expected ?? "nowhere"} for "${text}"`, () => {
    const address = listenAddressOf(flagsOf(text));
    const shown = address === undefined ? undefined : `${address.hostname}:${address.port}`;
    assertEquals(shown, expected);
  });
}

for (const address of ["localhost:99999", "x:y", "1.2.3.4:"]) {
  Deno.test(`the address ${address} is refused`, () => {
    assertThrows(() => listenAddressOf(flagsOf(`--listen ${address}`)), UsageError);
  });
}

type Schedule = { intervalMs?: number; count?: number };
const SCHEDULES: readonly [string, Schedule, Schedule][] = [
  ["", {}, {}],
  ["--map-fetch-interval 2s", { intervalMs: 2000 }, { intervalMs: 2000 }],
  ["--map-fetch-interval 2", { intervalMs: 2000 }, { intervalMs: 2000 }],
  ["--map-fetch-interval 0.5", { intervalMs: 500 }, { intervalMs: 500 }],
  ["--map-fetch-interval 1m30s", { intervalMs: 90_000 }, { intervalMs: 90_000 }],
  ["--map-fetch-interval reads:2s,writes:500ms", { intervalMs: 2000 }, { intervalMs: 500 }],
  ["--map-fetch-interval writes:500ms", {}, { intervalMs: 500 }],
  ["--map-fetch-count 3", { count: 3 }, { count: 3 }],
  ["--map-fetch-count writes:1,reads:0", { count: 0 }, { count: 1 }],
  ["--map-fetch-interval 0 --map-fetch-count 1", { intervalMs: 0, count: 1 }, {
    intervalMs: 0,
    count: 1,
  }],
];
for (const [text, reads, writes] of SCHEDULES) {
  Deno.test(`maps are read as "${text}" says`, () => {
    const scheduleOf = mapSchedules(flagsOf(text), SPEC);
    assertEquals([scheduleOf("reads"), scheduleOf("writes")], [reads, writes]);
  });
}

const REFUSED: readonly [string, string][] = [
  ["--map-fetch-interval soon", '--map-fetch-interval "soon": wanted a duration'],
  ["--map-fetch-interval -1s", "wanted a duration"],
  ["--map-fetch-interval reeds:1s", "reeds names no data source"],
  ["--map-fetch-interval reads:1s,2s", "the item names no data source"],
  ["--map-fetch-interval 0", "which needs a count of 1"],
  ["--map-fetch-interval reads:0", "which needs a count of 1"],
  ["--map-fetch-count 1.5", "wanted a whole number of at least 0"],
  ["--map-fetch-count -1", "wanted a whole number of at least 0"],
  ["--map-fetch-count reads:x", "wanted a whole number"],
];
for (const [text, message] of REFUSED) {
  Deno.test(`"${text}" is refused before anything is loaded`, () => {
    assertThrows(() => mapSchedules(flagsOf(text), SPEC), UsageError, message);
  });
}

Deno.test("a misspelt data source is answered with the nearest", () => {
  const flags = flagsOf("--map-fetch-interval reeds:1s");
  const error = assertThrows(() => mapSchedules(flags, SPEC), UsageError);
  assertStringIncludes(error.hint ?? "", "reads");
});

const SCOPES: readonly [string, Record<string, string>][] = [
  ["", {}],
  ["--otel-metrics-name disk", { reads: "disk", writes: "disk" }],
  ["--otel-metrics-name writes:disk.out", { writes: "disk.out" }],
  ["--otel-metrics-name reads:a:b,writes:c", { reads: "a:b", writes: "c" }],
];
for (const [text, scopes] of SCOPES) {
  Deno.test(`scopes of "${text}"`, () =>
    assertEquals(scopesOf(flagsOf(text), SPEC), new Map(Object.entries(scopes))));
}

const DURATIONS: readonly [string, number | undefined][] = [
  ["", undefined],
  ["--timeout 5", 5000],
  ["--timeout 1.5", 1500],
  ["--timeout 300ms", 300],
  ["--timeout 0", 0],
];
for (const [text, milliseconds] of DURATIONS) {
  Deno.test(`"${text}" stops after ${milliseconds} ms`, () => {
    assertEquals(durationMsOf(flagsOf(text), "timeout", { unitMs: 1000 }), milliseconds);
  });
}

Deno.test("rows are shown as said for all data sources or for one", () => {
  const flags = flagsOf("-o reads:json --fields reads:a,b;writes:-c --sort -a --max-entries -1");
  const settingsOf = displaySettings(flags, SPEC);
  assertEquals([settingsOf("reads"), settingsOf("writes")], [
    { mode: "json", selection: "a,b", sort: "-a", maxEntries: -1 },
    { mode: "columns", selection: "-c", sort: "-a", maxEntries: -1 },
  ]);
});

Deno.test("0 and -1 entries are all of them", () => {
  const limits = ["0", "-1", "7"].map((text) =>
    displaySettings(flagsOf(`--max-entries ${text}`), SPEC)("reads").maxEntries
  );
  assertEquals(limits, [-1, -1, 7]);
});

const EVENTS = { ...SPEC, dataSources: [dataSource("opens", "tracer")] };
const BOTH = { ...SPEC, dataSources: [...SPEC.dataSources, ...EVENTS.dataSources] };
const WITHOUT_ORDER: readonly [spec: GadgetSpec, text: string, flags: string[]][] = [
  [EVENTS, "", []],
  [EVENTS, "--sort a --max-entries 3", ["--sort", "--max-entries"]],
  [BOTH, "--sort a --max-entries 3", []],
  [BOTH, "--sort opens:a", ["--sort"]],
  [BOTH, "--sort reads:a", []],
  [BOTH, "--max-entries reads:1,opens:2", ["--max-entries"]],
  [SPEC, "--sort a", []],
];
for (const [spec, text, flags] of WITHOUT_ORDER) {
  const sources = spec.dataSources.map(({ name }) => name);
  Deno.test(`"${text}" warns of ${flags.join() || "nothing"} for ${sources}`, () => {
    const warnings = orderWarnings(flagsOf(text), spec);
    const wanted = flags.map((flag) =>
      `${flag} does nothing for data source opens: events are shown as they come`
    );
    assertEquals(warnings, wanted);
  });
}

for (const text of ["-o jsn", "--max-entries -2", "--max-entries many", "-o reeds:json"]) {
  Deno.test(`"${text}" is refused`, () => {
    assertThrows(() => displaySettings(flagsOf(text), SPEC), UsageError);
  });
}

Deno.test("--metrics-limit is a number of series, a million unless it is given", () => {
  const limits = ["", "--metrics-limit 1", "--metrics-limit 2147483647"];
  assertEquals(limits.map((text) => metricsLimitOf(flagsOf(text))), [1_000_000, 1, 2147483647]);
  for (const text of ["0", "-1", "1.5", "many", "2147483648"]) {
    const error = assertThrows(
      () => metricsLimitOf(flagsOf(`--metrics-limit ${text}`)),
      UsageError,
    );
    assertEquals(
      error.message,
      `--metrics-limit "${text}": wanted a whole number of at least 1, at most 2147483647`,
    );
  }
});
