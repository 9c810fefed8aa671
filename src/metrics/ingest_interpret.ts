/**
 * What ingest means, one record at a time and in plain terms: the specification that the generated
 * loops are tested against. Slow, allocates.
 */

import {
  type Field,
  type FieldFormatter,
  isFloatKind,
  matchesFilter,
  readField,
  readKeyWords,
  readNumber,
  type RecordBytes,
} from "../decode/mod.ts";
import { counterRange } from "./_counter_range.ts";
import type { EntryStore } from "./entry_store.ts";
import {
  type Ingest,
  RING_BUSY_BIT,
  RING_DISCARD_BIT,
  RING_HEADER_BYTES,
  RING_LENGTH_MASK,
  type RingBatch,
  type RowBatch,
} from "./ingest.ts";
import { filtersValues, type InstrumentPlan, mayChangeSeries, type MetricsPlan } from "./plan.ts";
import type { SeriesStore } from "./series_store.ts";

/** What the interpreter works on. */
export interface InterpreterTarget {
  readonly store: SeriesStore;
  readonly entries?: EntryStore;
  readonly skipZeroEntries: boolean;
  readonly formatters: ReadonlyMap<Field, FieldFormatter>;
}

/** The interpreter of a plan. */
export function interpretIngest(plan: MetricsPlan, target: InterpreterTarget): Ingest {
  const context = { plan, ...target };
  return {
    ring: (batch) => interpretRing(context, batch),
    rows: (batch) => {
      for (const record of recordsOf(batch)) countRecord(context, record);
    },
    snapshot: (batch) => {
      for (const record of recordsOf(batch)) followEntry(context, record);
    },
  };
}

type Context = InterpreterTarget & { readonly plan: MetricsPlan };

function* recordsOf(batch: RowBatch): Generator<RecordBytes> {
  for (let row = 0; row < batch.count; row++) {
    yield {
      segments: [batch.view, batch.valueView],
      offsets: [row * batch.strideBytes, row * batch.valueStrideBytes],
    };
  }
}

function interpretRing(context: Context, { view, begin, end }: RingBatch): number {
  let at = begin;
  while (at < end) {
    const header = view.getUint32(at, true);
    if ((header & RING_BUSY_BIT) !== 0) break;
    const length = header & RING_LENGTH_MASK;
    const start = at + RING_HEADER_BYTES;
    at = start + (length + 7 & -8);
    if ((header & RING_DISCARD_BIT) !== 0) continue;
    const size = context.plan.recordSizeBytes;
    if (length < size) context.store.memory.stats.shortRecords++;
    const bytes = new Uint8Array(size);
    bytes.set(new Uint8Array(view.buffer, view.byteOffset + start, Math.min(length, size)));
    countRecord(context, { segments: [new DataView(bytes.buffer)], offsets: [0, 0] });
  }
  return at;
}

function countRecord(context: Context, record: RecordBytes): void {
  context.store.memory.stats.received++;
  if (!passesFilter(context, record)) return;
  const series = findSeries(context, record);
  update(context, { series, record });
  noteExemplar(context, { series, record });
}

/** Keeps what the first record of a series in a batch has in the exemplar field. */
function noteExemplar({ plan, store }: Context, { series, record }: Update): void {
  const { memory, wallMs } = store;
  const { exemplar: layout, strideCells } = memory.layout;
  if (plan.exemplar === undefined || layout === undefined) return;
  const row = series * strideCells;
  if (memory.floats[row + layout.timeOffset] === wallMs) return;
  const at = row * 2 + layout.versionWord;
  const words = plan.exemplar.parts.flatMap(({ field }) => readKeyWords(field, record));
  memory.words.set([memory.words[at] + 2, ...words], at);
  memory.floats[row + layout.timeOffset] = wallMs;
  plan.instruments.forEach(({ field }, index) => {
    const offset = layout.valueOffsets[index];
    if (field !== undefined && offset >= 0) memory.floats[row + offset] = readNumber(field, record);
  });
}

function passesFilter(context: Context, record: RecordBytes): boolean {
  const passes = matchesFilter(context.plan.filter, record, context.formatters);
  if (!passes) context.store.memory.stats.filtered++;
  return passes;
}

function findSeries({ plan, store }: Context, record: RecordBytes): number {
  store.scratch.set(plan.keyParts.flatMap(({ field }) => readKeyWords(field, record)));
  return store.findOrInsert();
}

function followEntry(context: Context, record: RecordBytes): void {
  const { plan, store } = context;
  const entries = context.entries;
  if (entries === undefined) throw new Error("BUG: no entries to compare with");
  store.memory.stats.received++;
  const passes = passesFilter(context, record);
  if (!passes && !filtersValues(plan)) return;
  const words = (segment: 0 | 1, sizeBytes: number) => blockWords(record, { segment, sizeBytes });
  entries.scratch.set(words(0, plan.recordSizeBytes));
  const value = words(1, plan.valueSizeBytes);
  let entry = entries.find();
  if (!passes) {
    if (entry >= 0) entries.hide(entry);
    return;
  }
  if (entry < 0) {
    if (context.skipZeroEntries && value.every((word) => word === 0)) return;
    entry = entries.insert(findSeries(context, record));
  } else {
    entries.lastPass[entry] = entries.pass;
    const start = entry * entries.valueWordCount;
    const isSame = value.every((word, index) => word === entries.values[start + index]);
    if (isSame && entries.series[entry] >= 0) return;
    entries.lastChange[entry] = entries.pass;
    if (mayChangeSeries(plan)) {
      entries.move(entry, findSeries(context, record));
    }
  }
  const start = entry * entries.valueWordCount;
  const previous: RecordBytes = {
    segments: [record.segments[0], entries.valueView],
    offsets: [record.offsets[0], start * 4],
  };
  if (hasBegunAnew(plan, record, previous)) entries.forgetValue(entry);
  update(context, { series: entries.series[entry], record, previous });
  entries.values.set(value, start);
}

/** True if a total of the entry went down, and not around: it was removed and made again. */
function hasBegunAnew(plan: MetricsPlan, record: RecordBytes, previous: RecordBytes): boolean {
  return plan.instruments.some(({ field, type, slots }) => {
    if (field === undefined || field.segment !== 1) return false;
    if (slots) {
      const last = readSlots(field, previous);
      return readSlots(field, record).some((count, slot) => wasReset(field, count, last[slot]));
    }
    if (type !== "counter") return false;
    if (isFloatKind(field.kind)) {
      const total = readNumber(field, record);
      return total >= 0 && total < readNumber(field, previous);
    }
    const total = readInteger(field, record);
    return total >= 0n && wasReset(field, total, readInteger(field, previous));
  });
}

function wasReset(field: Field, total: bigint, last: bigint): boolean {
  return total < last && !wentAround(field, Number(total), Number(last));
}

function wentAround(field: Field, total: number, last: number): boolean {
  const range = counterRange(field);
  return range !== undefined && last - total > range / 2;
}

/** What came on top of the last total; all of it after a reset. */
function addedSince(field: Field, total: bigint, last: bigint): bigint {
  if (last >= 0n && total >= last) return total - last;
  const hasGoneAround = wentAround(field, Number(total), Number(last));
  return hasGoneAround ? total - last + BigInt(counterRange(field) ?? 0) : total;
}

/** A block as int32 words, padded with zeros. */
function blockWords(
  record: RecordBytes,
  { segment, sizeBytes }: { segment: 0 | 1; sizeBytes: number },
): Int32Array {
  const view = record.segments[segment];
  if (view === undefined) throw new Error("BUG: record without values");
  const words = new Int32Array(Math.ceil(sizeBytes / 4));
  const start = view.byteOffset + record.offsets[segment];
  new Uint8Array(words.buffer).set(new Uint8Array(view.buffer, start, sizeBytes));
  return words;
}

interface Update {
  readonly series: number;
  readonly record: RecordBytes;
  /** The same entry at the last read. */
  readonly previous?: RecordBytes;
}

function update(context: Context, row: Update): void {
  const { instruments } = context.plan;
  const { memory } = context.store;
  const { strideCells, offsets } = memory.layout;
  instruments.forEach((instrument, index) => {
    const cell = row.series * strideCells + offsets[index];
    const { field } = instrument;
    if (field === undefined) {
      memory.cells[cell] += 1n;
    } else if (instrument.slots) {
      addSlots(context, { instrument, cell, row, field });
    } else if (instrument.type === "histogram") {
      observe(context, { instrument, cell, row, field });
    } else if (instrument.type === "gauge") {
      setGauge(context, { cell, row, field });
    } else {
      addCounter(context, { cell, row, field });
    }
  });
}

interface FieldUpdate {
  /** First cell of the instrument in the series' row. */
  readonly cell: number;
  readonly row: Update;
  readonly field: Field;
}

/** The last value of a field that lies in a map value; keys never change. */
function previousOf(row: Update, field: Field): RecordBytes | undefined {
  return field.segment === 1 ? row.previous : undefined;
}

function readInteger(field: Field, record: RecordBytes): bigint {
  const value = readField(field, record);
  if (typeof value === "bigint") return value;
  if (typeof value === "number" || typeof value === "boolean") return BigInt(value);
  throw new Error(`BUG: ${field.name} is no integer`);
}

function addCounter({ store: { memory } }: Context, { cell, row, field }: FieldUpdate): void {
  const previous = previousOf(row, field);
  if (isFloatKind(field.kind)) {
    const value = readNumber(field, row.record);
    if (Number.isNaN(value)) memory.stats.notANumber++;
    else if (value < 0) memory.stats.negativeCounters++;
    else memory.floats[cell] += value - numberBase(field, value, previous);
    return;
  }
  const value = readInteger(field, row.record);
  if (value < 0n) {
    memory.stats.negativeCounters++;
    return;
  }
  const last = previous === undefined ? 0n : readInteger(field, previous);
  memory.cells[cell] += addedSince(field, value, last);
}

/** What of a total was there already: 0 after a reset, less than nothing if it went around. */
function numberBase(field: Field, total: number, previous: RecordBytes | undefined): number {
  const last = previous === undefined ? 0 : readNumber(field, previous);
  if (last >= 0 && total >= last) return last;
  return wentAround(field, total, last) ? last - (counterRange(field) ?? 0) : 0;
}

function setGauge({ store: { memory } }: Context, { cell, row, field }: FieldUpdate): void {
  if (isFloatKind(field.kind)) memory.floats[cell] = readNumber(field, row.record);
  else memory.cells[cell] = readInteger(field, row.record);
}

type HistogramUpdate = FieldUpdate & { readonly instrument: InstrumentPlan };

function observe(
  { store: { memory } }: Context,
  { instrument, cell, row, field }: HistogramUpdate,
): void {
  const value = readNumber(field, row.record);
  if (Number.isNaN(value)) {
    memory.stats.notANumber++;
    return;
  }
  const bounds = instrument.upperBounds;
  const found = bounds.findIndex((bound) => value <= bound);
  const bucket = found < 0 ? bounds.length : found;
  memory.cells[cell + bucket] += 1n;
  memory.floats[cell + bounds.length + 1] += value;
}

function addSlots(
  { store: { memory } }: Context,
  { instrument, cell, row, field }: HistogramUpdate,
): void {
  const previous = previousOf(row, field);
  const counts = readSlots(field, row.record);
  const last = previous === undefined ? counts.map(() => 0n) : readSlots(field, previous);
  let sum = 0;
  counts.forEach((total, slot) => {
    const count = addedSince(field, total, last[slot]);
    memory.cells[cell + slot] += count;
    sum += Number(count) * instrument.midpoints[slot];
  });
  if (instrument.sumField !== undefined) {
    const total = readNumber(instrument.sumField, row.record);
    sum = total - numberBase(instrument.sumField, total, previousOf(row, instrument.sumField));
  }
  if (Number.isFinite(sum)) memory.floats[cell + instrument.upperBounds.length + 1] += sum;
}

function readSlots(field: Field, record: RecordBytes): bigint[] {
  const slots = readField(field, record);
  if (!Array.isArray(slots)) throw new Error(`BUG: ${field.name} is no array`);
  return slots.map((count) => {
    if (typeof count !== "number" && typeof count !== "bigint") {
      throw new Error(`BUG: ${field.name} holds no integers`);
    }
    return BigInt.asUintN(
      field.kind === "int32" || field.kind === "uint32" ? 32 : 64,
      BigInt(count),
    );
  });
}
