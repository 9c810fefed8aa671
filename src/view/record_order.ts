/** `--sort` and `--max-entries`: which rows of a fetch are shown, and in which order. */

import {
  type Field,
  type FieldFormatter,
  type FieldValue,
  readField,
  readInteger,
  type RecordBytes,
} from "../decode/mod.ts";
import { findField } from "./field_selection.ts";

export interface RecordOrderOptions {
  readonly fields: readonly Field[];
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
  /** Text of `--sort`: field names, the most important first; `-` for descending. */
  readonly sort?: string;
  /** Without `sort`, the highest of this field come first. */
  readonly busiest?: Field;
  /** Rows to keep; negative or absent for all. */
  readonly maxEntries?: number;
}

interface SortKey {
  readonly read: (record: RecordBytes) => FieldValue;
  readonly sign: 1 | -1;
}

/** Formats whose text hides the order of the numbers. */
const NUMERIC_FORMATS: ReadonlySet<string> = new Set(["timestamp", "bytes", "duration"]);

/**
 * Function that puts the records of one fetch in order and cuts them.
 *
 * Equal records keep the order they came in. Numbers sort as numbers (NaN below all), named values
 * as their names. The records may share one moving cursor; the results stand on their own, over the
 * same lent memory. Throws: UsageError for an unknown field.
 */
export function createRecordOrder(
  options: RecordOrderOptions,
): (records: Iterable<RecordBytes>) => Iterable<RecordBytes> {
  const keys = parseSort(options);
  const { maxEntries = -1 } = options;
  if (keys.length === 0) {
    return maxEntries < 0 ? (records) => records : (records) => firstOf(records, maxEntries);
  }
  return (records) => {
    const sorted = sortRecords(records, keys);
    return maxEntries < 0 ? sorted : sorted.slice(0, maxEntries);
  };
}

/** The first `count` records. */
export function* firstOf(records: Iterable<RecordBytes>, count: number): Generator<RecordBytes> {
  let left = count;
  if (left === 0) return;
  for (const record of records) {
    yield record;
    if (--left === 0) return;
  }
}

function parseSort({ sort, busiest, fields, formatters }: RecordOrderOptions): SortKey[] {
  const text = sort ?? (busiest === undefined ? "" : `-${busiest.name}`);
  const items = text.split(",").map((item) => item.trim()).filter(Boolean);
  return items.map((item) => {
    const field = findField(item.replace(/^[+-]/, ""), fields);
    const isByNumber = field.format === undefined || NUMERIC_FORMATS.has(field.format.type);
    const formatter = isByNumber ? undefined : formatters.get(field);
    return { read: formatter ?? rawReader(field), sign: item.startsWith("-") ? -1 : 1 };
  });
}

function rawReader(field: Field): (record: RecordBytes) => FieldValue {
  const isWide = field.arrayLength === 0 && /^u?int128$/.test(field.kind);
  if (!isWide) return (record) => readField(field, record);
  return (record) => readInteger(field, record);
}

function sortRecords(records: Iterable<RecordBytes>, keys: readonly SortKey[]): RecordBytes[] {
  const rows = Array.from(records, (record, index) => ({
    index,
    record: copyCursor(record),
    values: keys.map(({ read }) => copyValue(read(record))),
  }));
  rows.sort((a, b) => {
    for (let i = 0; i < keys.length; i++) {
      const order = keys[i].sign * compareValues(a.values[i], b.values[i]);
      if (order !== 0) return order;
    }
    return a.index - b.index;
  });
  return rows.map(({ record }) => record);
}

function copyCursor({ segments, offsets }: RecordBytes): RecordBytes {
  return { segments, offsets: [offsets[0], offsets[1]] };
}

function copyValue(value: FieldValue): FieldValue {
  return value instanceof Uint8Array ? value.slice() : value;
}

/** Negative, 0 or positive; a total order of the values of one field. */
export function compareValues(a: FieldValue, b: FieldValue): number {
  if (typeof a === "object" && typeof b === "object") return compareLists(a, b);
  if (typeof a === "number" && typeof b === "number") {
    const rank = Number(Number.isNaN(b)) - Number(Number.isNaN(a));
    if (rank !== 0) return rank;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

type ValueList = Extract<FieldValue, object>;

function compareLists(a: ValueList, b: ValueList): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
