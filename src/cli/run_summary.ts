/** What a run has seen, told at its end. */

import type { Operator } from "../operators/mod.ts";
import type { OwnMetricsSnapshot } from "../export/mod.ts";
import type { GadgetSpec } from "../gadget/mod.ts";

/** `trace_exec: 1234 events in 12.3 s, 0 lost, 17 series`. */
export function runSummary(
  spec: Pick<GadgetSpec, "name" | "dataSources">,
  { snapshot, durationMs }: {
    snapshot: Pick<OwnMetricsSnapshot, "dataSources">;
    durationMs: number;
  },
): string {
  let events = 0;
  let rows = 0;
  let lost = 0;
  let series = 0;
  let isCounted = false;
  for (const source of snapshot.dataSources) {
    const origin = spec.dataSources.find(({ name }) => name === source.dataSource)?.origin.kind;
    if (origin === "tracer") events += source.eventsReceived;
    else rows += source.eventsReceived;
    for (const count of Object.values(source.eventsLost)) lost += count;
    series += source.series;
    isCounted ||= source.seriesLimit !== undefined;
  }
  const hasEvents = spec.dataSources.some(({ origin }) => origin.kind === "tracer");
  const hasRows = spec.dataSources.some(({ origin }) => origin.kind !== "tracer");
  const seen = [
    ...(hasEvents ? [`${events} events`] : []),
    ...(hasRows ? [`${rows} rows`] : []),
  ].join(" and ");
  return [
    `${spec.name}: ${seen} in ${(durationMs / 1000).toFixed(1)} s`,
    ...(hasEvents ? [`${lost} lost`] : []),
    ...(isCounted ? [`${series} series`] : []),
  ].join(", ");
}

/** Makes the summary of one gadget's run, before what pushes its metrics may take its time. */
export function summaryOperator(take: (text: string) => void): Operator {
  return {
    name: "summary",
    priority: 81,
    instantiate(gadget) {
      let startMs: number | undefined;
      return {
        start: () => void (startMs = performance.now()),
        stop() {
          if (startMs === undefined) return;
          const { name } = gadget;
          const dataSources = gadget.dataSources.map(({ spec }) => spec);
          const durationMs = performance.now() - startMs;
          take(runSummary({ name, dataSources }, { snapshot: gadget.stats(), durationMs }));
        },
      };
    },
  };
}
