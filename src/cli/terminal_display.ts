/** Rows and drawn metrics on standard output. */

import type { MetricSet } from "../metrics/mod.ts";
import {
  createRowView,
  type MetricSetViewOptions,
  renderMetricSet,
  type RowView,
  type RowViewMode,
} from "../view/mod.ts";
import type { Display } from "./display.ts";
import type { Terminal } from "./terminal.ts";

/** What the user asked to see of a data source. */
export interface DisplaySettings {
  readonly mode: RowViewMode;
  /** Text of `--fields`. */
  readonly selection?: string;
  readonly sort?: string;
  readonly maxEntries?: number;
}

/** Parts of a display. */
export interface TerminalDisplayOptions {
  readonly settings: (dataSource: string) => DisplaySettings;
  readonly terminal: Terminal;
}

const CLEAR_SCREEN = "\x1b[H\x1b[2J";
const SERIES_DRAWN = 10;

/** A display that comes to an end. */
export interface TerminalDisplay extends Display {
  /** Waits a little for who reads stdout. @throws KernelError if it is not to be had whole. */
  end(): Promise<void>;
}

/** Makes the display. Headers are printed when the data source changes. */
export function createTerminalDisplay(options: TerminalDisplayOptions): TerminalDisplay {
  const { terminal } = options;
  const { isTty } = terminal;
  const heads = new HeaderWriter(terminal);
  return {
    draws: (source) => options.settings(source.name).mode === "columns",
    rowView({ name, fields, formatters, annotations }): RowView | undefined {
      const { mode, ...settings } = options.settings(name);
      if (mode === "none") return undefined;
      const view = createRowView(mode, {
        ...settings,
        fields,
        formatters,
        widthColumns: terminal.widthColumns(),
        isTty,
      });
      // What is drawn has no rows, but a mistake in --fields or --sort is still one.
      if (mode === "columns" && annotations["metrics.print"] === "true") return view;
      return heads.wrap(view, { isTty: isTty && mode === "columns" });
    },
    metrics(sets: readonly MetricSet[]): string {
      if (!isTty) return `${drawMetrics(sets, { maxSeries: SERIES_DRAWN })}\n`;
      const text = fitLines(
        terminal.heightRows() - 1,
        (maxSeries) => drawMetrics(sets, { maxSeries, widthColumns: terminal.widthColumns() }),
      );
      return CLEAR_SCREEN + text;
    },
    write: (text) => terminal.write(text),
    isFull: () => terminal.isFull,
    room: () => terminal.room(),
    begin: () => heads.begin(),
    end: () => terminal.end(),
  };
}

function drawMetrics(sets: readonly MetricSet[], options: MetricSetViewOptions): string {
  return sets.map((set) => renderMetricSet(set, options)).join("\n");
}

/** Draws as many series as fit; the busiest come first, so the rest is what matters least. */
function fitLines(maxLines: number, draw: (maxSeries: number) => string): string {
  for (let maxSeries = SERIES_DRAWN; maxSeries > 1; maxSeries--) {
    const text = draw(maxSeries);
    if (text.split("\n").length <= maxLines) return text;
  }
  return draw(1);
}

/** Puts a view's header before its rows whenever another view was last. */
class HeaderWriter {
  #last: RowView | undefined;
  #first: RowView | undefined;
  readonly #output: Terminal;

  constructor(output: Terminal) {
    this.#output = output;
  }

  begin(): void {
    if (this.#first === undefined || this.#last !== undefined) return;
    this.#output.write(this.#first.header());
    this.#last = this.#first;
  }

  wrap(view: RowView, { isTty }: { isTty: boolean }): RowView {
    this.#first ??= view;
    const withHeader = (text: string): string => {
      if (text === "" || this.#last === view) return text;
      this.#last = view;
      return view.header() + text;
    };
    return {
      header: () => view.header(),
      row: (record) => withHeader(view.row(record)),
      // Each read of a map is a table of its own: on a terminal it gets its own header.
      rows: (records) =>
        isTty ? `\n${view.header()}${view.rows(records)}` : withHeader(view.rows(records)),
    };
  }
}
