/** Rows and drawn metrics on a terminal, or in a pipe or file. */

import type { FetchSchedule } from "../engine/mod.ts";
import type { MetricSet } from "../metrics/mod.ts";
import {
  busiestField,
  createRowView,
  createTableView,
  MetricCamera,
  renderMetricSet,
  type RowView,
  type RowViewMode,
  type TableView,
} from "../view/mod.ts";
import type { Display } from "./display.ts";
import { pictureWidth, Screen, type ScreenPart } from "./screen.ts";
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
  /** What is seen, for the first line of a screen. */
  readonly title: string;
  readonly settings: (dataSource: string) => DisplaySettings;
  readonly terminal: Terminal;
}

/** In a pipe or file, of each instrument or table. */
const SERIES_DRAWN = 10;
/** A terminal that is higher shows no more at once. */
const MAX_ROWS = 500;

/** A display that comes to an end. */
export interface TerminalDisplay extends Display {
  /** Tells something that is no result, without disturbing what is shown. */
  notice(text: string): void;
  /** As of the terminal. */
  end(): Promise<boolean>;
}

/**
 * Makes the display. Events follow each other, with a header where the data source changes. On a terminal,
 * maps, iterators that are read again, and metrics are drawn in place if nothing else is shown.
 */
export function createTerminalDisplay(options: TerminalDisplayOptions): TerminalDisplay {
  const { terminal, title } = options;
  const heads = new HeaderWriter(terminal);
  const screen = new Screen({ terminal, title, now: () => new Date() });
  const camera = new MetricCamera(terminal.styles, { nowMs: () => performance.now() });
  let drawsInPlace = false;
  let isScrolling = !terminal.canMoveCursor;
  const usesScreen = () => drawsInPlace && !isScrolling;
  return {
    draws: (source) => options.settings(source.name).mode === "columns",
    rowView({ spec, formatters, schedule }): RowView | undefined {
      const { mode, ...settings } = options.settings(spec.name);
      if (mode === "none") return undefined;
      const isFetched = spec.origin.kind !== "tracer";
      const isRepeated = isFetched && schedule.count !== 1;
      const viewOptions = {
        ...settings,
        fields: spec.fields,
        formatters,
        widthColumns: () => terminal.widthColumns(),
        isTty: terminal.isTty,
        styles: terminal.styles,
        busiest: mode === "columns" && isRepeated ? busiestField(spec) : undefined,
      };
      const view = createRowView(mode, viewOptions);
      if (mode === "columns" && spec.annotations["metrics.print"] === "true") {
        // What is drawn has no rows, but a mistake in --fields or --sort is still one.
        drawsInPlace = true;
        return view;
      }
      const scrolling = heads.wrap(view, { isTable: isFetched && mode === "columns" });
      if (mode !== "columns" || !isRepeated) {
        isScrolling = true;
        return scrolling;
      }
      drawsInPlace = true;
      const tables = createTableView({
        ...viewOptions,
        widthColumns: () => pictureWidth(terminal),
      });
      const part = new TablePart(tables, schedule);
      screen.show(spec.name, part);
      return {
        ...scrolling,
        rows(records) {
          if (!usesScreen()) return scrolling.rows(records);
          part.take([...records]);
          return screen.show(spec.name, part);
        },
      };
    },
    metrics(sets: readonly MetricSet[]): string {
      if (!terminal.isTty) {
        const texts = sets.map((set) => renderMetricSet(set, { maxSeries: SERIES_DRAWN }));
        return `${texts.join("\n")}\n`;
      }
      const picture = camera.take(sets);
      if (usesScreen()) {
        return screen.show("metrics", {
          isEmpty: false,
          draw: (size) => ({ lines: picture.lines(size), note: "" }),
        });
      }
      const lines = picture.lines({
        maxLines: terminal.heightRows() - 1,
        widthColumns: terminal.widthColumns(),
      });
      return `${lines.join("\n")}\n\n`;
    },
    write: (text) => terminal.write(text),
    isFull: () => terminal.isFull,
    room: () => terminal.room(),
    begin: () => usesScreen() ? screen.enter() : heads.begin(),
    notice: (text) => screen.notice(text),
    leave: () => screen.leave(),
    end: () => terminal.end(),
  };
}

/** The last read of a map or iterator on a screen. */
class TablePart implements ScreenPart {
  readonly #view: TableView;
  readonly #intervalMs: number;
  #table;

  constructor(view: TableView, { intervalMs }: FetchSchedule) {
    this.#view = view;
    this.#intervalMs = intervalMs;
    this.#table = view.table([], { maxRows: 0 });
  }

  take(records: Parameters<TableView["table"]>[0]): void {
    this.#table = this.#view.table(records, { maxRows: MAX_ROWS });
  }

  get isEmpty(): boolean {
    return this.#table.total === 0;
  }

  draw({ maxLines }: { maxLines: number }): { lines: string[]; note: string } {
    const { order } = this.#view;
    const { total, count } = this.#table;
    const rows = Math.min(count, Math.max(0, maxLines - 1));
    const sorted = order === "" ? "" : `  sort ${order}`;
    const note = `${rows} of ${total} rows${sorted}  every ${this.#intervalMs / 1000} s`;
    return { lines: this.#table.lines(rows).slice(0, maxLines), note };
  }
}

/** Puts a view's header before its rows whenever another view was last, or the header has changed. */
class HeaderWriter {
  /** Whose header came last, and which. */
  #last: RowView | undefined;
  #lastHeader = "";
  #first: RowView | undefined;
  /** True until the first rows come. */
  #isFresh = true;
  readonly #output: Terminal;

  constructor(output: Terminal) {
    this.#output = output;
  }

  begin(): void {
    if (this.#first !== undefined && this.#isFresh) this.#output.write(this.#head(this.#first));
  }

  /** @param options.isTable each read is a table of its own. */
  wrap(view: RowView, { isTable }: { isTable: boolean }): RowView {
    this.#first ??= view;
    // Rows first: the header may follow them.
    const withHead = (text: string): string => {
      if (text === "") return "";
      if (isTable && !this.#isFresh) this.#last = undefined;
      const head = this.#head(view);
      const gap = isTable && !this.#isFresh ? "\n" : "";
      this.#isFresh = false;
      return gap + head + text;
    };
    return {
      header: () => view.header(),
      row: (record) => withHead(view.row(record)),
      rows: (records) => withHead(view.rows(records)),
    };
  }

  #head(view: RowView): string {
    const header = view.header();
    if (this.#last === view && this.#lastHeader === header) return "";
    this.#last = view;
    this.#lastHeader = header;
    return header;
  }
}
