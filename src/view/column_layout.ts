/** Widths of columns: what each wants, fitted to the terminal. */

import type { Field } from "../decode/mod.ts";
import type { Ellipsis } from "./display_text.ts";

/** How one column wants to be, in terminal columns. */
export interface ColumnShape {
  readonly width: number;
  readonly minWidth: number;
  readonly maxWidth: number;
  /** Takes part in widening; what has a bounded length gains nothing by it. */
  readonly grows: boolean;
}

const DEFAULT_WIDTH = 16;
/** A column narrower than this tells nothing; one with a longer header keeps up to MIN_HEADER of it. */
const MIN_WIDTH = 4;
const MIN_HEADER = 8;

/** Widths of `columns.width: type`: the longest decimal of the kind. */
const WIDTH_OF_KIND: Readonly<Partial<Record<Field["kind"], number>>> = {
  uint8: 3,
  int8: 4,
  uint16: 5,
  int16: 6,
  uint32: 10,
  int32: 11,
  uint64: 20,
  int64: 20,
  uint128: 34,
  int128: 34,
  bool: 5,
};

/** Reads the `columns.*` widths of a field; the header always counts as one value. */
export function columnShape(field: Field, headerWidth: number): ColumnShape {
  const { annotations } = field;
  const number = (key: string): number | undefined => {
    const text = annotations[`columns.${key}`];
    if (text === "type") return WIDTH_OF_KIND[field.kind];
    return text !== undefined && /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined;
  };
  const maxWidth = number("maxwidth") ?? Infinity;
  const declaredMin = number("minwidth");
  const wanted = Math.max(number("width") ?? DEFAULT_WIDTH, declaredMin ?? 0, headerWidth);
  const width = Math.min(wanted, Math.max(maxWidth, headerWidth));
  if (annotations["columns.fixed"] === "true") {
    return { width, minWidth: width, maxWidth: width, grows: false };
  }
  const minWidth = declaredMin ?? Math.max(MIN_WIDTH, Math.min(headerWidth, MIN_HEADER));
  return {
    width,
    minWidth: Math.min(minWidth, width),
    maxWidth: Math.max(maxWidth, width),
    grows: hasOpenLength(field),
  };
}

/** True for what is shown as words rather than as one number. */
export function isTextual(field: Field): boolean {
  return field.format !== undefined || field.kind === "cstring" || field.kind === "bytes" ||
    field.arrayLength > 0;
}

function hasOpenLength({ format, kind, arrayLength }: Field): boolean {
  if (format === undefined) return kind === "cstring" || kind === "bytes" || arrayLength > 0;
  if (format.type === "enum") return format.isSet;
  return format.type === "file_flags" || format.type === "kernel_stack";
}

/** Where a cut value of this field gets its mark. */
export function ellipsisOf(field: Field): Ellipsis {
  const text = field.annotations["columns.ellipsis"];
  return text === "start" || text === "middle" || text === "none" ? text : "end";
}

/**
 * Widths of the columns with one blank between them, at most `lineWidth` in all.
 *
 * Too wide: the widest columns shrink first, down to their minimum; then columns are dropped from
 * the right (the result is shorter than `shapes`), but the first one stays. Too narrow: columns of
 * text share what is left.
 */
export function layoutColumns(shapes: readonly ColumnShape[], lineWidth: number): number[] {
  let count = shapes.length;
  while (count > 1 && lineLength(shapes.slice(0, count).map((s) => s.minWidth)) > lineWidth) {
    count--;
  }
  const kept = shapes.slice(0, count);
  const widths = kept.map(({ width }) => width);
  shrink(widths, { shapes: kept, lineWidth });
  grow(widths, { shapes: kept, lineWidth });
  return widths;
}

interface Fit {
  readonly shapes: readonly ColumnShape[];
  readonly lineWidth: number;
}

function lineLength(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + widths.length - 1;
}

function shrink(widths: number[], { shapes, lineWidth }: Fit): void {
  for (let excess = lineLength(widths) - lineWidth; excess > 0; excess--) {
    let widest = -1;
    for (let i = 0; i < widths.length; i++) {
      if (widths[i] <= shapes[i].minWidth) continue;
      if (widest < 0 || widths[i] > widths[widest]) widest = i;
    }
    if (widest < 0) break;
    widths[widest]--;
  }
  if (widths.length === 1) widths[0] = Math.min(widths[0], Math.max(1, lineWidth));
}

function grow(widths: number[], { shapes, lineWidth }: Fit): void {
  let spare = lineWidth - lineLength(widths);
  while (spare > 0) {
    const growing = shapes.flatMap((shape, i) =>
      shape.grows && widths[i] < shape.maxWidth ? [i] : []
    );
    if (growing.length === 0) return;
    const share = Math.max(1, Math.floor(spare / growing.length));
    for (const i of growing) {
      const gain = Math.min(share, shapes[i].maxWidth - widths[i], spare);
      widths[i] += gain;
      spare -= gain;
    }
  }
}
