/** Rows as aligned columns. */

import type { Field, FieldFormatter, FieldValue, RecordBytes } from "../decode/mod.ts";
import { leafName, readField, valueToText } from "../decode/mod.ts";
import { type ColumnShape, columnShape, ellipsisOf, isTextual } from "./column_layout.ts";
import { ColumnWidths } from "./column_widths.ts";
import { escapeControls, PLAIN, type Styles } from "../text/mod.ts";
import { displayWidth, type Ellipsis, truncateText } from "./display_text.ts";
import { isContainer, selectFields } from "./field_selection.ts";
import { firstOf } from "./record_order.ts";
import type { RowView } from "./row_view.ts";

export interface ColumnsViewOptions {
  readonly fields: readonly Field[];
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  /** Text of `--fields`. */
  readonly selection?: string;
  /** Width of the terminal now. */
  readonly widthColumns: () => number;
  /**
   * Only a terminal gets lines fitted to `widthColumns`. Elsewhere columns have the width they
   * declare and values are never cut, so that what reads them gets them whole.
   */
  readonly isTty: boolean;
  /** How the header is set apart. */
  readonly styles?: Styles;
}

/** Rows of which only the first are at hand, to be laid out for any width. */
export interface Table {
  /** A header, and `maxRows` rows at most. No line has a line break, or is longer than the terminal is wide. */
  lines(maxRows: number): string[];
}

/** Rows as columns. The header changes when a terminal does, or when a longer value comes: then it belongs above the next row. */
export interface ColumnsView extends RowView {
  /** For a terminal. Reads `maxRows` records at most. */
  table(records: Iterable<RecordBytes>, options: { maxRows: number }): Table;
}

interface Column {
  readonly label: string;
  readonly text: (record: RecordBytes) => string;
  readonly shape: ColumnShape;
  readonly isRight: boolean;
  readonly ellipsis: Ellipsis;
}

/** Renders rows as columns. Throws: UsageError for a bad `selection`. */
export function createColumnsView(options: ColumnsViewOptions): ColumnsView {
  const { fields, isTty } = options;
  const shown = selectFields({
    ...options,
    isDefault: (field) =>
      !field.hidden && (field.format !== undefined || !isContainer(field, fields)),
    expands: (container) => container.format === undefined,
  });
  const columns = columnsOf(shown, options);
  const widths = new ColumnWidths(columns.map(({ shape }) => shape));
  const { strong } = options.styles ?? PLAIN;
  const layOut = (): readonly number[] =>
    isTty ? widths.layOut(options.widthColumns()) : widths.declared;
  const labels = columns.map(({ label }) => label);
  let header = { widths: [] as readonly number[], line: "", text: "\n" };
  // Asked for before each row, so it is kept.
  const currentHeader = (): typeof header => {
    const now = layOut();
    if (now === header.widths) return header;
    const line = strong(joinCells(labels, { columns, widths: now, isTty }));
    return header = { widths: now, line, text: `${line}\n` };
  };
  const cellsOf = (record: RecordBytes): string[] => {
    const cells = columns.map(({ text }) => escapeControls(text(record)));
    if (isTty) widths.see(cells);
    return cells;
  };
  const line = (cells: readonly string[]): string =>
    joinCells(cells, { columns, widths: layOut(), isTty });
  return {
    header: () => currentHeader().text,
    row: (record) => `${line(cellsOf(record))}\n`,
    rows: (records) => {
      let text = "";
      if (!isTty) {
        for (const record of records) text += `${line(cellsOf(record))}\n`;
        return text;
      }
      // All are seen before the first is laid out.
      for (const cells of Array.from(records, cellsOf)) text += `${line(cells)}\n`;
      return text;
    },
    table: (records, { maxRows }) => {
      const rows = Array.from(firstOf(records, maxRows), cellsOf);
      return { lines: (count) => [currentHeader().line, ...rows.slice(0, count).map(line)] };
    },
  };
}

function columnsOf(shown: readonly Field[], options: ColumnsViewOptions): Column[] {
  const labels = columnLabels(shown);
  return shown.map((field, i) => ({
    label: labels[i],
    text: cellText(field, options.formatters.get(field)),
    shape: columnShape(field, displayWidth(labels[i])),
    isRight: isRightAligned(field),
    ellipsis: ellipsisOf(field),
  }));
}

/** Upper-cased last parts; full names where two would be equal. */
function columnLabels(shown: readonly Field[]): string[] {
  const leaves = shown.map((field) => escapeControls(leafName(field)).toUpperCase());
  return shown.map((field, i) =>
    leaves.filter((leaf) => leaf === leaves[i]).length > 1
      ? escapeControls(field.name).toUpperCase()
      : leaves[i]
  );
}

function isRightAligned(field: Field): boolean {
  const alignment = field.annotations["columns.alignment"];
  return alignment === undefined ? !isTextual(field) : alignment === "right";
}

function cellText(field: Field, formatter?: FieldFormatter): (record: RecordBytes) => string {
  if (formatter !== undefined) return formatter;
  const { kind, annotations } = field;
  if (annotations["columns.hex"] === "true") {
    return (record) => hexText(readField(field, record));
  }
  const precision = Number(annotations["columns.precision"] ?? NaN);
  const isRounded = (kind === "float32" || kind === "float64") && precision >= 0 &&
    precision <= 100;
  if (!isRounded) return (record) => valueToText(readField(field, record), kind);
  const round = (value: FieldValue): string =>
    typeof value === "number" && Number.isFinite(value)
      ? value.toFixed(precision)
      : typeof value === "object" && !(value instanceof Uint8Array)
      ? value.map(round).join(",")
      : valueToText(value, kind);
  return (record) => round(readField(field, record));
}

function hexText(value: FieldValue): string {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) {
    return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
  }
  if (typeof value === "object" && !(value instanceof Uint8Array)) {
    return value.map(hexText).join(",");
  }
  return valueToText(value);
}

interface Line {
  readonly columns: readonly Column[];
  /** 0 for columns that are left out. */
  readonly widths: readonly number[];
  /** Whether values are cut. */
  readonly isTty: boolean;
}

function joinCells(cells: readonly string[], { columns, widths, isTty }: Line): string {
  let line = "";
  const last = widths.findLastIndex((width) => width > 0);
  for (let i = 0; i <= last; i++) {
    const { ellipsis, isRight } = columns[i];
    const width = widths[i];
    if (width === 0) continue;
    const text = isTty ? truncateText(cells[i], { width, ellipsis }) : cells[i];
    const padding = " ".repeat(Math.max(0, width - displayWidth(text)));
    if (line !== "") line += " ";
    line += isRight ? padding + text : i === last ? text : text + padding;
  }
  return line.trimEnd();
}
