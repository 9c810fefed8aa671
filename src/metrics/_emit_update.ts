/** Emits the code that adds one record's values to the cells of a series' row. */

import {
  type CodeWriter,
  emitBigInt,
  emitNumber,
  emitUint,
  emitWordPair,
  type Field,
  isFloatKind,
  isSignedKind,
  type SegmentVariables,
} from "../decode/mod.ts";
import { counterRange } from "./_counter_range.ts";
import { type Log2Bounds, log2Bounds } from "./native_buckets.ts";
import type { InstrumentPlan } from "./plan.ts";

/** Where the record lies, and where its last value lies if totals are being followed. */
export interface RecordVariables {
  readonly segments: readonly [SegmentVariables, SegmentVariables];
  /** Last value of the same map entry; absent if records are increments. */
  readonly previous?: SegmentVariables;
}

/** Above this many buckets a loop searches; below, nested comparisons. */
const MAX_UNROLLED_BOUNDS = 64;

/** What the update of an instrument is emitted for. */
interface UpdateContext {
  /** Index of the instrument. */
  readonly index: number;
  /** Its first cell within a row. */
  readonly offset: number;
  readonly record: RecordVariables;
}

/**
 * Emits the update of an instrument. Variables in use: `row`, the first cell of the series; the views
 * `cells` and `floats`; constants `m<index>`, `b<index>`; scratch `k x y lo hi a b t j`.
 *
 * `cells[i] = cells[i] + n` with BigInts becomes one 64-bit addition in optimized code, without
 * garbage; `cells[i]++` does not.
 */
export function emitUpdate(
  writer: CodeWriter,
  instrument: InstrumentPlan,
  context: UpdateContext,
): void {
  const { offset, record } = context;
  const { field } = instrument;
  const cell = `row + ${offset}`;
  if (field === undefined) return emitAdd(writer, cell, "1n");
  const source = segmentOf(field, record);
  if (instrument.slots) return emitSlots(writer, instrument, { field, ...context });
  switch (instrument.storage) {
    case "histogram":
      return emitObserve(writer, instrument, { field, ...context });
    case "float":
      if (instrument.type === "counter") return emitFloatCounter(writer, field, { cell, record });
      writer.line(`floats[${cell}] = ${emitNumber(field, source)};`);
      return;
    case "signed":
    case "unsigned":
      if (instrument.type === "counter") return emitIntegerCounter(writer, field, { cell, record });
      writer.line(`cells[${cell}] = ${emitBigInt(field, source)};`);
  }
}

function segmentOf(field: Field, record: RecordVariables): SegmentVariables {
  return record.segments[field.segment];
}

/** Last value's place; only values have one, keys never change. */
function previousOf(field: Field, record: RecordVariables): SegmentVariables | undefined {
  return field.segment === 1 ? record.previous : undefined;
}

/** Adds a BigInt expression to a cell. */
function emitAdd(writer: CodeWriter, cell: string, amount: string): void {
  writer.line(`cells[${cell}] = cells[${cell}] + ${amount};`);
}

/** Turns a total in `lo`, `hi` into what came on top of `a`, `b`, also if it went around. */
function emitPairDelta(writer: CodeWriter, field: Field): void {
  const range = counterRange(field);
  writer.line("lo -= a;");
  if (range !== undefined) {
    writer.line(`if (lo < 0) lo += ${range};`);
  } else {
    writer.line("hi -= b;").line("if (lo < 0) { lo += 4294967296; hi--; }");
  }
}

/**
 * Emits what notices that an entry has begun anew: one of its totals went down, and not around. Then
 * its last value is taken for zeros, so that all of the new totals count. Uses `same`.
 */
export function emitReset(
  writer: CodeWriter,
  instruments: readonly InstrumentPlan[],
  context: { record: RecordVariables; forget: string },
): void {
  const { record, forget } = context;
  const checks = instruments.filter(followsTotal);
  if (checks.length === 0) return;
  writer.line("same = true; // until a total went down");
  for (const instrument of checks) emitFallCheck(writer, instrument, record);
  writer.line(`if (!same) ${forget}`);
}

/** True for counters and slots in a map's value: they only grow while their entry lives. */
function followsTotal({ field, type, slots }: InstrumentPlan): boolean {
  return field !== undefined && field.segment === 1 && (type === "counter" || slots);
}

function emitFallCheck(
  writer: CodeWriter,
  instrument: InstrumentPlan,
  record: RecordVariables,
): void {
  const { field, slots } = instrument;
  const { previous } = record;
  if (field === undefined || previous === undefined) return;
  const range = counterRange(field);
  const pairFell = range === undefined
    ? "if (hi < b || hi === b && lo < a) same = false;"
    : `if (lo < a && a - lo <= ${range / 2}) same = false;`;
  if (slots) {
    writer.block(`for (j = 0; same && j < ${field.arrayLength}; j++)`, () => {
      emitSlotPair(writer, field, record);
      writer.line(pairFell);
    });
  } else if (isFloatKind(field.kind)) {
    writer.line(`x = ${emitNumber(field, segmentOf(field, record))};`);
    // As with integers: a negative total is an error of its own.
    writer.line(`if (x >= 0 && x < ${emitNumber(field, previous)}) same = false;`);
  } else {
    emitTotalPair(writer, field, record);
    // A negative total is an error of its own, and says nothing of the entry.
    writer.line(isSignedKind(field.kind) ? `if (hi >= 0) { ${pairFell} }` : pairFell);
  }
}

/** Assigns the total to `lo`, `hi` and the last one to `a`, `b`. */
function emitTotalPair(writer: CodeWriter, field: Field, record: RecordVariables): void {
  const { low, high } = emitWordPair(field, segmentOf(field, record));
  writer.line(`lo = ${low};`).line(`hi = ${high};`);
  const previous = previousOf(field, record);
  if (previous === undefined) return;
  const last = emitWordPair(field, previous);
  writer.line(`a = ${last.low};`).line(`b = ${last.high};`);
  // A negative total was refused when it was seen, so what follows it counts from zero.
  if (isSignedKind(field.kind)) writer.line("if (b < 0) a = b = 0;");
}

interface CounterContext {
  readonly cell: string;
  readonly record: RecordVariables;
}

function emitIntegerCounter(
  writer: CodeWriter,
  field: Field,
  { cell, record }: CounterContext,
): void {
  const source = segmentOf(field, record);
  const add = () => emitCounterAdd(writer, field, { cell, record });
  if (!isSignedKind(field.kind)) return add();
  writer.line(`if (${emitWordPair(field, source).high} < 0) stats.negativeCounters++;`);
  writer.block("else", add);
}

/** Adds a value that is not negative, or what it has on top of the last one. */
function emitCounterAdd(writer: CodeWriter, field: Field, { cell, record }: CounterContext): void {
  const total = emitBigInt(field, segmentOf(field, record));
  const previous = previousOf(field, record);
  if (previous === undefined) return emitAdd(writer, cell, total);
  if (counterRange(field) !== undefined) {
    emitTotalPair(writer, field, record);
    emitPairDelta(writer, field);
    return emitAdd(writer, cell, "BigInt(lo)");
  }
  const difference = `(${total} - ${emitBigInt(field, previous)})`;
  if (!isSignedKind(field.kind)) return emitAdd(writer, cell, difference);
  // A negative total was refused when it was seen, so what follows it counts from zero.
  writer.line(`if (${emitWordPair(field, previous).high} < 0) {`);
  emitAdd(writer, cell, total);
  writer.line("} else {");
  emitAdd(writer, cell, difference);
  writer.line("}");
}

function emitFloatCounter(
  writer: CodeWriter,
  field: Field,
  { cell, record }: CounterContext,
): void {
  writer.line(`x = ${emitNumber(field, segmentOf(field, record))};`);
  writer.line("if (x !== x) stats.notANumber++;");
  writer.line("else if (x < 0) stats.negativeCounters++;");
  writer.block("else", () => {
    emitNumberDelta(writer, field, record);
    writer.line(`floats[${cell}] += x;`);
  });
}

/** Turns a total in `x` into what came on top of the last one. */
function emitNumberDelta(writer: CodeWriter, field: Field, record: RecordVariables): void {
  const previous = previousOf(field, record);
  if (previous === undefined) return;
  writer.line(`y = ${emitNumber(field, previous)};`);
  writer.line("if (y >= 0 && x >= y) x -= y;");
  const range = counterRange(field);
  if (range !== undefined) writer.line(`else if (y - x > ${range / 2}) x += ${range} - y;`);
}

function emitObserve(
  writer: CodeWriter,
  instrument: InstrumentPlan,
  context: UpdateContext & { readonly field: Field },
): void {
  const { field, index, offset, record } = context;
  const bounds = instrument.upperBounds;
  const source = segmentOf(field, record);
  const observe = () => {
    const log2 = searchableLog2(bounds);
    if (log2 !== undefined && !isFloatKind(field.kind)) {
      emitLog2Search(writer, field, { source, log2, count: bounds.length });
    } else if (bounds.length <= MAX_UNROLLED_BOUNDS) {
      writer.line(`j = ${emitSearch(bounds, 0, bounds.length)};`);
    } else {
      writer.line(`j = 0;`).line(`t = ${bounds.length};`);
      writer.line(
        `while (j < t) { k = j + t >>> 1; if (x <= b${index}[k]) t = k; else j = k + 1; }`,
      );
    }
    writer.line(`k = row + ${offset} + j;`);
    emitAdd(writer, "k", "1n");
    writer.line(`floats[row + ${offset + bounds.length + 1}] += x;`);
  };
  writer.line(`x = ${emitNumber(field, source)};`);
  if (!isFloatKind(field.kind)) return observe();
  writer.line("if (x !== x) stats.notANumber++;").block("else", observe);
}

/** Powers of two that a count of bits finds: larger values are compared as doubles, which do not tell 2^53 from what follows it. */
function searchableLog2(bounds: readonly number[]): Log2Bounds | undefined {
  const log2 = log2Bounds(bounds);
  if (log2 === undefined) return undefined;
  return log2.first + bounds.length <= (log2.isLess ? 54 : 53) ? log2 : undefined;
}

/** Assigns the bucket of an integer to `j` by the number of its bits. */
function emitLog2Search(
  writer: CodeWriter,
  field: Field,
  search: { source: SegmentVariables; log2: Log2Bounds; count: number },
): void {
  const { source, log2: { first, isLess }, count } = search;
  const { low, high } = emitWordPair(field, source);
  const isWide = high !== "0";
  writer.line(`lo = ${low};`);
  if (isWide) writer.line(`hi = ${high};`);
  writer.line(`j = ${isWide ? "hi !== 0 ? 64 - Math.clz32(hi) : " : ""}32 - Math.clz32(lo);`);
  // 2^n itself still belongs under the bound 2^n.
  if (!isLess) {
    const isPower = "(lo & lo - 1) === 0";
    const isWidePower = `(hi === 0 ? ${isPower} : lo === 0 && (hi & hi - 1) === 0)`;
    writer.line(`if (${isWide ? isWidePower : isPower}) j--;`);
  }
  if (isSignedKind(field.kind)) writer.line("if (hi < 0) j = 0;");
  if (first > 0) writer.line(`j -= ${first};`);
  writer.line("if (j < 0) j = 0;").line(`if (j > ${count}) j = ${count};`);
}

/** Expression of the first bucket in [low, high] whose bound is not below `x`. */
function emitSearch(bounds: readonly number[], low: number, high: number): string {
  if (low === high) return String(low);
  const middle = low + high >>> 1;
  const left = emitSearch(bounds, low, middle);
  return `(x <= ${bounds[middle]} ? ${left} : ${emitSearch(bounds, middle + 1, high)})`;
}

function emitSlots(
  writer: CodeWriter,
  instrument: InstrumentPlan,
  context: UpdateContext & { readonly field: Field },
): void {
  const { field, index, offset, record } = context;
  const estimate = instrument.sumField === undefined;
  const isWide = field.kind === "uint64" || field.kind === "int64";
  const previous = previousOf(field, record);
  writer.line(`k = row + ${offset};`);
  if (estimate) writer.line("x = 0;");
  writer.block(`for (j = 0; j < ${field.arrayLength}; j++, k++)`, () => {
    emitSlotPair(writer, field, record);
    if (previous !== undefined) emitPairDelta(writer, field);
    writer.line("if (lo === 0 && hi === 0) continue;");
    emitAdd(writer, "k", isWide ? emitSlotDifference(field, record) : "BigInt(lo)");
    if (estimate) writer.line(`x += (hi * 4294967296 + lo) * m${index}[j];`);
  });
  if (instrument.sumField !== undefined) {
    writer.line(`x = ${emitNumber(instrument.sumField, segmentOf(instrument.sumField, record))};`);
    emitNumberDelta(writer, instrument.sumField, record);
  }
  // A sum that is no number would stay one for ever.
  const sum = `floats[row + ${offset + instrument.upperBounds.length + 1}]`;
  writer.line(`if (x - x === 0) ${sum} += x;`);
}

/** Expression of what slot `j` of 64 bits has on top of the last one. */
function emitSlotDifference(field: Field, record: RecordVariables): string {
  const slot = ({ view, base }: SegmentVariables) =>
    `${view}.getBigUint64(${base} + j * 8 + ${field.offsetBytes}, true)`;
  const previous = previousOf(field, record);
  const total = slot(segmentOf(field, record));
  return previous === undefined ? total : `(${total} - ${slot(previous)})`;
}

/** Assigns the count of slot `j` to `lo`, `hi` and the last one to `a`, `b`. */
function emitSlotPair(writer: CodeWriter, field: Field, record: RecordVariables): void {
  const wide = field.kind === "uint64" || field.kind === "int64";
  const size = wide ? 8 : 4;
  const word = (segment: SegmentVariables, extra: number) =>
    emitUint(
      { view: segment.view, base: `${segment.base} + j * ${size}` },
      field.offsetBytes + extra,
      4,
    );
  const source = segmentOf(field, record);
  const previous = previousOf(field, record);
  writer.line(`lo = ${word(source, 0)};`).line(`hi = ${wide ? word(source, 4) : "0"};`);
  if (previous === undefined) return;
  writer.line(`a = ${word(previous, 0)};`).line(`b = ${wide ? word(previous, 4) : "0"};`);
}
