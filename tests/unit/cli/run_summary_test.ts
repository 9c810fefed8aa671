// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { runSummary } from "../../../src/cli/run_summary.ts";
import type { DataSourceStats } from "../../../src/export/mod.ts";
import type { DataSourceSpec } from "../../../src/gadget/mod.ts";

function dataSource(name: string, origin: DataSourceSpec["origin"]): DataSourceSpec {
  const sizes = { recordSizeBytes: 8, valueSizeBytes: 0 };
  return { name, origin, annotations: {}, tags: [], fields: [], ...sizes };
}

function stats(name: string, given: Partial<DataSourceStats>): DataSourceStats {
  return {
    gadget: "g",
    dataSource: name,
    eventsReceived: 0,
    eventsLost: {},
    decodeErrors: {},
    series: 0,
    seriesOverflow: 0,
    labelsTruncated: 0,
    ...given,
  };
}

const EVENTS = stats("e", {
  eventsReceived: 1234,
  eventsLost: { buffer_full: 2, not_sent: 1 },
  series: 17,
  seriesLimit: 100,
});
const ROWS = stats("m", { eventsReceived: 50 });

const E = dataSource("e", { kind: "tracer", map: "e", struct: "e" });
const M = dataSource("m", { kind: "mapiter", map: "m" });

const SUMMARIES: readonly [specs: DataSourceSpec[], stats: DataSourceStats[], text: string][] = [
  [[E], [EVENTS], "g: 1234 events in 12.3 s, 3 lost, 17 series"],
  [[M], [ROWS], "g: 50 rows in 12.3 s"],
  [[E, M], [EVENTS, ROWS], "g: 1234 events and 50 rows in 12.3 s, 3 lost, 17 series"],
  [[E], [stats("e", {})], "g: 0 events in 12.3 s, 0 lost"],
];
for (const [dataSources, counted, text] of SUMMARIES) {
  Deno.test(`the end of a run is told as "${text}"`, () => {
    const snapshot = { dataSources: counted };
    assertEquals(runSummary({ name: "g", dataSources }, { snapshot, durationMs: 12_345 }), text);
  });
}
