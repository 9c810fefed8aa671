/** Widths of columns: what each wants, fitted to the terminal. */

import type { Field } from "../decode/mod.ts";
import type { Ellipsis } from "./display_text.ts";

/** How one column wants to be, in terminal columns. */
export interface ColumnShape {
  readonly width: number;
  readonly minWidth: number;
  readonly maxWidth: number;
  readonly headerWidth: number;
  /** Takes part in widening; what has a bounded length gains nothing by it. */
  readonly grows: boolean;
  /** Has the width it declares, whatever its values are. */
  readonly isFixed: boolean;
  /** A number that is cut is another number: it gives way only as a whole column. */
  readonly isCuttable: boolean;
}

const DEFAULT_WIDTH = 16;
/** A column narrower than this tells nothing; one with a longer header keeps up to MIN_HEADER of it. */
const MIN_WIDTH = 4;
const MIN_HEADER = 8;
/** A text of so many columns mostly tells what it is. */
const LEGIBLE_WIDTH = 12;

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
  const isCuttable = isTextual(field);
  if (annotations["columns.fixed"] === "true") {
    const widths = { width, minWidth: width, maxWidth: width, headerWidth };
    return { ...widths, grows: false, isFixed: true, isCuttable };
  }
  const minWidth = declaredMin ?? Math.max(MIN_WIDTH, Math.min(headerWidth, MIN_HEADER));
  return {
    width,
    minWidth: Math.min(minWidth, width),
    maxWidth: Math.max(maxWidth, width),
    headerWidth,
    grows: hasOpenLength(field),
    isFixed: false,
    isCuttable,
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
 * Widths of the columns with one blank between them, at most `lineWidth` in all; 0 for what is left out.
 *
 * `seen` has the width of the widest value of each column; absent if no row was seen yet. Columns are as
 * wide as they declare, or as their values are. Too narrow a line: what no value needs goes first, then
 * numbers are left out from the right rather than texts cut so that they tell little, then the widest texts
 * shrink, down to their minimum, then columns are left out from the right. The first one stays. Too wide a
 * line: columns of text share what is left.
 */
export function layoutColumns(
  shapes: readonly ColumnShape[],
  { lineWidth, seen }: { lineWidth: number; seen?: readonly number[] },
): number[] {
  const all = seen === undefined ? shapes : fitToValues(shapes, { seen, lineWidth });
  const indices = keptColumns(all, { lineWidth, seen });
  const kept = indices.map((i) => all[i]);
  const widths = kept.map(({ width }) => width);
  if (seen !== undefined) {
    shrink(widths, { floors: kept.map((shape, i) => needed(shape, seen[indices[i]])), lineWidth });
  }
  shrink(widths, { floors: kept.map(({ minWidth }) => minWidth), lineWidth });
  if (widths.length === 1) widths[0] = Math.min(widths[0], Math.max(1, lineWidth));
  grow(widths, { shapes: kept, lineWidth });
  const result = shapes.map(() => 0);
  indices.forEach((index, i) => result[index] = widths[i]);
  return result;
}

/** Columns that have room. */
function keptColumns(
  shapes: readonly ColumnShape[],
  { lineWidth, seen }: { lineWidth: number; seen?: readonly number[] },
): number[] {
  const indices = [...shapes.keys()];
  const fits = (widthOf: (i: number) => number) => lineLength(indices.map(widthOf)) <= lineWidth;
  if (seen !== undefined) {
    const legible = (i: number) =>
      Math.max(shapes[i].minWidth, shapes[i].isCuttable ? Math.min(seen[i], LEGIBLE_WIDTH) : 0);
    // The first number is what the rows are about.
    const numbers = indices.filter((i) => i > 0 && !shapes[i].isCuttable);
    while (numbers.length > 1 && !fits(legible)) {
      indices.splice(indices.indexOf(numbers.pop() ?? 0), 1);
    }
  }
  while (indices.length > 1 && !fits((i) => shapes[i].minWidth)) indices.pop();
  return indices;
}

/** What shows header and values whole. */
function needed({ isFixed, width, headerWidth }: ColumnShape, seen: number): number {
  return isFixed ? width : Math.max(headerWidth, seen);
}

/**
 * Minima that no value needs give way too. Where not all can be whole, a text without end takes half of the
 * line from the others at most.
 */
function fitToValues(
  shapes: readonly ColumnShape[],
  { seen, lineWidth }: { seen: readonly number[]; lineWidth: number },
): ColumnShape[] {
  const areWhole = lineLength(shapes.map((shape, i) => needed(shape, seen[i]))) <= lineWidth;
  return shapes.map((shape, i) => {
    if (shape.isFixed) return shape;
    const { width, minWidth, headerWidth, grows, isCuttable } = shape;
    const widest = Math.min(seen[i], shape.maxWidth);
    const wanted = grows && !areWhole ? Math.min(widest, lineWidth >> 1) : widest;
    return {
      ...shape,
      width: Math.max(width, wanted),
      minWidth: isCuttable
        ? Math.min(minWidth, Math.max(headerWidth, widest))
        : Math.max(Math.min(headerWidth, MIN_HEADER), widest),
    };
  });
}

function lineLength(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + widths.length - 1;
}

/** Takes from the widest column that is above its floor, until the line fits. */
function shrink(
  widths: number[],
  { floors, lineWidth }: { floors: readonly number[]; lineWidth: number },
): void {
  for (let excess = lineLength(widths) - lineWidth; excess > 0; excess--) {
    let widest = -1;
    for (let i = 0; i < widths.length; i++) {
      if (widths[i] <= floors[i]) continue;
      if (widest < 0 || widths[i] > widths[widest]) widest = i;
    }
    if (widest < 0) break;
    widths[widest]--;
  }
}

interface Fit {
  readonly shapes: readonly ColumnShape[];
  readonly lineWidth: number;
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
