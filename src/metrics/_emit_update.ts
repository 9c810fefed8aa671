/** Emits the code that adds one record's values to the columns of series `id`. */

import {
  type CodeWriter,
  emitNumber,
  emitUint,
  emitWordPair,
  type Field,
  isFloatKind,
  isSignedKind,
  type SegmentVariables,
} from "../decode/mod.ts";
import { counterRange } from "./_counter_range.ts";
import type { InstrumentPlan } from "./plan.ts";

/** Where the record lies, and where its last value lies if totals are being followed. */
export interface RecordVariables {
  readonly segments: readonly [SegmentVariables, SegmentVariables];
  /** Last value of the same map entry; absent if records are increments. */
  readonly previous?: SegmentVariables;
}

/** Above this many buckets a loop searches; below, nested comparisons. */
const MAX_UNROLLED_BOUNDS = 64;

/**
 * Emits the update of instrument `index`. Variables in use: `id`; column arrays `c<index>`,
 * `s<index>`; constants `m<index>`, `b<index>`; scratch `k x y lo hi a b t j`.
 */
export function emitUpdate(
  writer: CodeWriter,
  instrument: InstrumentPlan,
  context: { index: number; record: RecordVariables },
): void {
  const { index, record } = context;
  const { field } = instrument;
  const column = `c${index}`;
  if (field === undefined) return emitIncrement(writer, column, "id << 1");
  const source = segmentOf(field, record);
  if (instrument.slots) return emitSlots(writer, instrument, { field, ...context });
  switch (instrument.storage) {
    case "histogram":
      return emitObserve(writer, instrument, { field, ...context });
    case "float":
      if (instrument.type === "gauge") {
        writer.line(`${column}[id] = ${emitNumber(field, source)};`);
      } else {
        emitFloatCounter(writer, field, { column, record });
      }
      return;
    case "signed":
    case "unsigned":
      if (instrument.type === "gauge") {
        const { low, high } = emitWordPair(field, source);
        writer.line("k = id << 1;");
        writer.line(`${column}[k] = ${low};`).line(`${column}[k + 1] = ${high};`);
      } else {
        emitIntegerCounter(writer, field, { column, record });
      }
  }
}

function segmentOf(field: Field, record: RecordVariables): SegmentVariables {
  return record.segments[field.segment];
}

/** Last value's place; only values have one, keys never change. */
function previousOf(field: Field, record: RecordVariables): SegmentVariables | undefined {
  return field.segment === 1 ? record.previous : undefined;
}

/** Adds 1 to the 64-bit counter at word index `at`. */
function emitIncrement(writer: CodeWriter, column: string, at: string): void {
  writer.line(`k = ${at};`).line(`t = ${column}[k] + 1 >>> 0;`).line(`${column}[k] = t;`);
  writer.line(`if (t === 0) ${column}[k + 1]++;`);
}

/**
 * Adds `lo`, `hi` to the 64-bit counter at word index `k`. Everything stays in 32-bit integers: the
 * low word has overflowed if it came out smaller than what was added.
 */
function emitAddPair(writer: CodeWriter, column: string, isWide: boolean): void {
  writer.line(`t = ${column}[k] + lo >>> 0;`).line(`${column}[k] = t;`);
  writer.line(`if (t < lo) ${column}[k + 1]++;`);
  if (isWide) writer.line(`if (hi !== 0) ${column}[k + 1] += hi;`);
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

function emitIntegerCounter(
  writer: CodeWriter,
  field: Field,
  context: { column: string; record: RecordVariables },
): void {
  const { column, record } = context;
  const { high } = emitWordPair(field, segmentOf(field, record));
  emitTotalPair(writer, field, record);
  const add = () => {
    if (previousOf(field, record) !== undefined) emitPairDelta(writer, field);
    writer.line("k = id << 1;");
    emitAddPair(writer, column, high !== "0");
  };
  if (!isSignedKind(field.kind)) return add();
  writer.line("if (hi < 0) errors.negativeCounters++;").block("else", add);
}

function emitFloatCounter(
  writer: CodeWriter,
  field: Field,
  context: { column: string; record: RecordVariables },
): void {
  const { column, record } = context;
  writer.line(`x = ${emitNumber(field, segmentOf(field, record))};`);
  writer.line("if (x !== x) errors.notANumber++;");
  writer.line("else if (x < 0) errors.negativeCounters++;");
  writer.block("else", () => {
    emitNumberDelta(writer, field, record);
    writer.line(`${column}[id] += x;`);
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
  context: { field: Field; index: number; record: RecordVariables },
): void {
  const { field, index, record } = context;
  const bounds = instrument.upperBounds;
  writer.line(`x = ${emitNumber(field, segmentOf(field, record))};`);
  const observe = () => {
    if (bounds.length <= MAX_UNROLLED_BOUNDS) {
      writer.line(`j = ${emitSearch(bounds, 0, bounds.length)};`);
    } else {
      writer.line(`j = 0;`).line(`t = ${bounds.length};`);
      writer.line(
        `while (j < t) { k = j + t >>> 1; if (x <= b${index}[k]) t = k; else j = k + 1; }`,
      );
    }
    emitIncrement(writer, `c${index}`, `(id * ${bounds.length + 1} + j) * 2`);
    writer.line(`s${index}[id] += x;`);
  };
  if (!isFloatKind(field.kind)) return observe();
  writer.line("if (x !== x) errors.notANumber++;").block("else", observe);
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
  context: { field: Field; index: number; record: RecordVariables },
): void {
  const { field, index, record } = context;
  const estimate = instrument.sumField === undefined;
  writer.line(`k = id * ${(instrument.upperBounds.length + 1) * 2};`);
  if (estimate) writer.line("x = 0;");
  writer.block(`for (j = 0; j < ${field.arrayLength}; j++, k += 2)`, () => {
    emitSlotPair(writer, field, record);
    if (previousOf(field, record) !== undefined) emitPairDelta(writer, field);
    writer.line("if (lo === 0 && hi === 0) continue;");
    emitAddPair(writer, `c${index}`, field.kind === "uint64" || field.kind === "int64");
    if (estimate) writer.line(`x += (hi * 4294967296 + lo) * m${index}[j];`);
  });
  if (instrument.sumField !== undefined) {
    writer.line(`x = ${emitNumber(instrument.sumField, segmentOf(instrument.sumField, record))};`);
    emitNumberDelta(writer, instrument.sumField, record);
  }
  // A sum that is no number would stay one for ever.
  writer.line(`if (x - x === 0) s${index}[id] += x;`);
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
