/** Rows and drawn metrics on standard output. */

import type { Display, Formatters } from "../engine/mod.ts";
import { KernelError } from "../errors.ts";
import type { DataSourceSpec } from "../gadget/mod.ts";
import type { MetricSet } from "../metrics/mod.ts";
import {
  createRowView,
  type MetricSetViewOptions,
  renderMetricSet,
  type RowView,
  type RowViewMode,
} from "../view/mod.ts";
import { outputError, terminalHeight, terminalWidth } from "./output.ts";
import { OutputQueue } from "./output_queue.ts";

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
  /** Called when nothing can be shown any more: the reader of stdout is gone, or the disk is full. */
  readonly onClosed: () => void;
}

const encoder = new TextEncoder();
const EAGAIN = 11;
const CLEAR_SCREEN = "\x1b[H\x1b[2J";
const SERIES_DRAWN = 10;

/** A display that knows when the gadget runs. */
export interface TerminalDisplay extends Display {
  /** Prints the first header, so that a quiet gadget shows that it runs, and one that fails shows nothing. */
  begin(): void;
  /** Waits a little for who reads stdout. @throws KernelError if it is not to be had whole. */
  end(): Promise<void>;
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
      // What is drawn has no rows, but a mistake in --fields or --sort is still one.
      if (mode === "columns" && spec.annotations["metrics.print"] === "true") return view;
      return heads.wrap(view, { isTty: isTty && mode === "columns" });
    },
    metrics(sets: readonly MetricSet[]): string {
      if (!isTty) return `${drawMetrics(sets, { maxSeries: SERIES_DRAWN })}\n`;
      const text = fitLines(
        terminalHeight() - 1,
        (maxSeries) => drawMetrics(sets, { maxSeries, widthColumns: terminalWidth() }),
      );
      return CLEAR_SCREEN + text;
    },
    write: (text) => output.write(text),
    isFull: () => output.isFull,
    begin: () => heads.begin(),
    end: () => output.end(),
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

class ClosableOutput {
  readonly #queue: OutputQueue;
  #error: unknown;

  constructor(onClosed: () => void) {
    this.#queue = new OutputQueue(Deno.stdout, {
      fd: 1,
      onError: (error) => {
        this.#error = outputError(error);
        onClosed();
      },
    });
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  write(text: string): void {
    if (text !== "") this.#queue.write(encoder.encode(text));
  }

  async end(): Promise<void> {
    const left = await this.#queue.flush();
    if (this.#error !== undefined) {
      // A reader who is gone has seen enough.
      if (this.#error instanceof Deno.errors.BrokenPipe) return;
      throw this.#error;
    }
    if (left === 0) return;
    throw new KernelError(`Cannot write to standard output: ${left} bytes are left`, {
      call: "write",
      errno: EAGAIN,
      hint: "whoever reads it has stopped",
    });
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
