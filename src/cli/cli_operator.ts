/** Rows and drawn metrics for somebody who looks: at a terminal, or by `kmeter attach`. */

import type { FetchSchedule } from "../engine/mod.ts";
import type { Operator, Subscriber } from "../operators/mod.ts";
import type { RowView } from "../view/mod.ts";
import type { Display } from "./display.ts";

/** How often metrics are drawn. */
export interface DrawSchedule {
  readonly intervalMs: number;
  /** Of a data source, as the command line says: as often as it would be read. */
  readonly schedule: (dataSource: string) => Partial<FetchSchedule>;
}

/** Shows one gadget. */
export function cliOperator(display: Display, draw: DrawSchedule): Operator {
  const isFull = () => display.isFull();
  const room = () => display.room();
  return {
    name: "cli",
    priority: 80,
    instantiate(gadget) {
      const drawn: string[] = [];
      for (const source of gadget.dataSources) {
        const view = display.rowView(source);
        const isPrinted = source.annotations["metrics.print"] === "true" && display.draws(source);
        if (isPrinted && source.collect()) {
          drawn.push(source.name);
        } else if (view !== undefined) {
          const take = rowWriter(view, { display, isEvents: source.kind === "tracer" });
          source.subscribe({ take, isFull, room });
        }
      }
      if (drawn.length > 0) {
        gadget.metrics.subscribe(
          { take: ({ sets }) => display.write(display.metrics(sets)), isFull },
          { intervalMs: draw.intervalMs, count: drawCount(drawn, draw), dataSources: drawn },
        );
      }
      return { start: () => display.begin(), stop: () => display.leave() };
    },
  };
}

function rowWriter(
  view: RowView,
  { display, isEvents }: { display: Display; isEvents: boolean },
): Subscriber["take"] {
  if (!isEvents) return (records) => display.write(view.rows(records));
  return (records) => {
    let text = "";
    for (const record of records) text += view.row(record);
    if (text !== "") display.write(text);
  };
}

/** Until the last of the data sources has come to its end. */
function drawCount(drawn: readonly string[], { schedule }: DrawSchedule): number {
  const counts = drawn.map((dataSource) => schedule(dataSource).count ?? 0);
  return counts.includes(0) ? 0 : Math.max(...counts);
}
