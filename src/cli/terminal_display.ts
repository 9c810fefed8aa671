/** Rows and drawn metrics on standard output. */

import type { Display, Formatters } from "../engine/mod.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { MetricSet } from "../metrics/mod.ts";
import { createRowView, renderMetricSet, type RowView, type RowViewMode } from "../view/mod.ts";
import { terminalWidth, writeOutput } from "./output.ts";

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
  /** Called when the reader of stdout is gone. */
  readonly onClosed: () => void;
}

const CLEAR_SCREEN = "\x1b[H\x1b[2J";
const SERIES_DRAWN = 10;

/** A display that knows when the gadget runs. */
export interface TerminalDisplay extends Display {
  /** Prints the first header, so that a quiet gadget shows that it runs, and one that fails shows nothing. */
  begin(): void;
}

/** Makes the display. Headers are printed when the data source changes. */
export function createTerminalDisplay(options: TerminalDisplayOptions): TerminalDisplay {
  const isTty = Deno.stdout.isTerminal();
  const output = new ClosableOutput(options.onClosed);
  const heads = new HeaderWriter(output);
  return {
    draws: (spec) => options.settings(spec.name).mode === "columns",
    rowView(spec: DataSourceSpec, formatters: Formatters): RowView | undefined {
      const { mode, ...settings } = options.settings(spec.name);
      if (mode === "none") return undefined;
      const view = createRowView(mode, {
        ...settings,
        fields: spec.fields,
        formatters,
        widthColumns: terminalWidth(),
        isTty,
      });
      return heads.wrap(view);
    },
    metrics(sets: readonly MetricSet[]): string {
      const text = sets.map((set) =>
        renderMetricSet(set, {
          maxSeries: SERIES_DRAWN,
          widthColumns: isTty ? terminalWidth() : undefined,
        })
      ).join("\n");
      return `${isTty ? CLEAR_SCREEN : ""}${text}${isTty ? "" : "\n"}`;
    },
    write: (text) => output.write(text),
    begin: () => heads.begin(),
  };
}

class ClosableOutput {
  readonly #onClosed: () => void;
  #isClosed = false;

  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
  }

  write(text: string): void {
    if (this.#isClosed || text === "") return;
    try {
      writeOutput(text);
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      this.#isClosed = true;
      this.#onClosed();
    }
  }
}

/** Puts a view's header before its rows whenever another view was last. */
class HeaderWriter {
  #last: RowView | undefined;
  #first: RowView | undefined;
  readonly #output: ClosableOutput;

  constructor(output: ClosableOutput) {
    this.#output = output;
  }

  begin(): void {
    if (this.#first === undefined || this.#last !== undefined) return;
    this.#output.write(this.#first.header());
    this.#last = this.#first;
  }

  wrap(view: RowView): RowView {
    this.#first ??= view;
    const withHeader = (text: string): string => {
      if (text === "" || this.#last === view) return text;
      this.#last = view;
      return view.header() + text;
    };
    return {
      header: () => view.header(),
      row: (record) => withHeader(view.row(record)),
      rows: (records) => withHeader(view.rows(records)),
    };
  }
}
