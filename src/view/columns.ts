/** Rows as aligned columns. */

import type { Field, FieldFormatter, FieldValue, RecordBytes } from "../decode/mod.ts";
import { leafName, readField, valueToText } from "../decode/mod.ts";
import { escapeControls } from "../text/mod.ts";
import {
  type ColumnShape,
  columnShape,
  ellipsisOf,
  isTextual,
  layoutColumns,
} from "./column_layout.ts";
import { displayWidth, type Ellipsis, truncateText } from "./display_text.ts";
import { isContainer, selectFields } from "./field_selection.ts";
import type { RowView } from "./row_view.ts";

export interface ColumnsViewOptions {
  readonly fields: readonly Field[];
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  /** Text of `--fields`. */
  readonly selection?: string;
  /** Width of the terminal. */
  readonly widthColumns: number;
  /**
   * Only a terminal gets lines fitted to `widthColumns`. Elsewhere columns have the width they
   * declare and values are never cut, so that what reads them gets them whole.
   */
  readonly isTty: boolean;
}

interface Column {
  readonly label: string;
  readonly text: (record: RecordBytes) => string;
  readonly width: number;
  readonly isRight: boolean;
  readonly ellipsis: Ellipsis;
}

/** Renders rows as columns. Throws: UsageError for a bad `selection`. */
export function createColumnsView(options: ColumnsViewOptions): RowView {
  const { fields, isTty } = options;
  const shown = selectFields({
    ...options,
    isDefault: (field) =>
      !field.hidden && (field.format !== undefined || !isContainer(field, fields)),
    expands: (container) => container.format === undefined,
  });
  const columns = arrange(shown, options);
  const line = (cells: (column: Column) => string): string =>
    joinCells(columns, { cells, cuts: isTty });
  const row = (record: RecordBytes): string =>
    line((column) => escapeControls(column.text(record)));
  return {
    header: () => line((column) => column.label),
    row,
    rows: (records) => {
      let text = "";
      for (const record of records) text += row(record);
      return text;
    },
  };
}

function arrange(shown: readonly Field[], options: ColumnsViewOptions): Column[] {
  const labels = columnLabels(shown);
  const shapes: ColumnShape[] = shown.map((field, i) =>
    columnShape(field, displayWidth(labels[i]))
  );
  const widths = options.isTty
    ? layoutColumns(shapes, options.widthColumns)
    : shapes.map(({ width }) => width);
  return widths.map((width, i) => ({
    label: labels[i],
    text: cellText(shown[i], options.formatters.get(shown[i])),
    width,
    isRight: isRightAligned(shown[i]),
    ellipsis: ellipsisOf(shown[i]),
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

function joinCells(
  columns: readonly Column[],
  { cells, cuts }: { cells: (column: Column) => string; cuts: boolean },
): string {
  let line = "";
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    const full = cells(column);
    const text = cuts ? truncateText(full, column) : full;
    const isLast = i === columns.length - 1;
    const padding = " ".repeat(Math.max(0, column.width - displayWidth(text)));
    if (i > 0) line += " ";
    line += column.isRight ? padding + text : isLast ? text : text + padding;
  }
  return `${line.trimEnd()}\n`;
}
