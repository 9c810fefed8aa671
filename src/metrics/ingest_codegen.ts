/**
 * Compiles a plan into loops over lent memory: `ingest_interpret.ts` is their specification.
 *
 * Nothing is allocated per record. Key words are read into locals (or one scratch array when there
 * are many), hashed, and looked up; only a key not met before leaves the loop.
 */

import {
  CodeWriter,
  commentName,
  emitHash,
  emitKeyWords,
  keyWordCount,
  MAX_UNROLLED_WORDS,
  type SegmentVariables,
} from "../decode/mod.ts";
import {
  emitFilter,
  type FilterArguments,
  filterArguments,
  type FilterFormatters,
} from "./_emit_filter.ts";
import { emitEntry, emitRememberValue } from "./_emit_entry.ts";
import { emitExemplar } from "./_emit_exemplar.ts";
import { emitReset, emitUpdate, type RecordVariables } from "./_emit_update.ts";
import type { EntryStore } from "./entry_store.ts";
import {
  type Ingest,
  RING_DISCARD_BIT,
  RING_HEADER_BYTES,
  RING_LENGTH_MASK,
  type RowBatch,
} from "./ingest.ts";
import { filtersValues, mayChangeSeries, type MetricsPlan } from "./plan.ts";
import { KEY_WORD, rowLayout } from "./series_memory.ts";
import { ID_MASK, OVERFLOW_SERIES, type SeriesStore } from "./series_store.ts";

/** What the generated code works on. */
export interface IngestTarget {
  readonly store: SeriesStore;
  /** Present for maps that are read in place. */
  readonly entries?: EntryStore;
  /** True if a new entry that is all zeros is an unused array element. */
  readonly skipZeroEntries: boolean;
  /** For filters on text. */
  readonly formatters: FilterFormatters;
  /**
   * True where the processor may reorder loads (all but x86-64): a record's header must then be read
   * by an acquiring load, which costs 7 ns more.
   */
  readonly atomicHeaders: boolean;
}

/** Generated functions and their source, for `--dump-code`. */
export interface CompiledIngest extends Ingest {
  readonly source: string;
}

const SEGMENTS: readonly [SegmentVariables, SegmentVariables] = [
  { view: "v", base: "p" },
  { view: "u", base: "r" },
];
const PREVIOUS: SegmentVariables = { view: "previous", base: "n" };

/** Compiles. The result is bound to the target's store. */
export function compileIngest(plan: MetricsPlan, target: IngestTarget): CompiledIngest {
  const source = generateIngest(plan, {
    snapshot: target.entries !== undefined,
    skipZeroEntries: target.skipZeroEntries,
    atomicHeaders: target.atomicHeaders,
  });
  const constants: FilterArguments = filterArguments(plan.filter, target.formatters);
  const factory = new Function("store", "entries", "constants", "plan", source) as (
    store: SeriesStore,
    entries: EntryStore | undefined,
    constants: FilterArguments,
    plan: MetricsPlan,
  ) => GeneratedIngest;
  const generated = factory(target.store, target.entries, constants, plan);
  return {
    source,
    ring: ({ view, begin, end }) => generated.ring(view, begin, end),
    rows: (batch) => callRows(generated.rows, batch),
    snapshot: (batch) => callRows(generated.snapshot, batch),
  };
}

type RowsFunction = (
  view: DataView,
  stride: number,
  valueView: DataView,
  valueStride: number,
  count: number,
) => void;

interface GeneratedIngest {
  readonly ring: (view: DataView, begin: number, end: number) => number;
  readonly rows: RowsFunction;
  readonly snapshot: RowsFunction;
}

function callRows(rows: RowsFunction, batch: RowBatch): void {
  rows(batch.view, batch.strideBytes, batch.valueView, batch.valueStrideBytes, batch.count);
}

/** Variants of the loops. */
export interface GenerateOptions {
  /** Follow totals instead of counting records. */
  readonly snapshot: boolean;
  readonly skipZeroEntries: boolean;
  readonly atomicHeaders: boolean;
}

/** The source text of a plan's loops. */
export function generateIngest(
  plan: MetricsPlan,
  options: GenerateOptions,
): string {
  const writer = new CodeWriter();
  writer.line('"use strict";');
  plan.keys.forEach(({ field, label }, index) =>
    writer.line(`// key ${index}: ${commentName(field)}${label === field.name ? "" : " (renamed)"}`)
  );
  plan.instruments.forEach((instrument, index) =>
    writer.line(
      `// instrument ${index}: ${instrument.type} of ${
        instrument.field === undefined ? "records" : commentName(instrument.field)
      }`,
    )
  );
  writer.line("const { memory, scratch } = store, { stats } = memory;");
  plan.instruments.forEach((instrument, index) => {
    if (instrument.slots) writer.line(`const m${index} = plan.instruments[${index}].midpoints;`);
    if (instrument.upperBounds.length > 0) {
      writer.line(`const b${index} = plan.instruments[${index}].upperBounds;`);
    }
  });
  if (options.snapshot) {
    writer.line("function ring() { throw new Error('BUG: a map is no ring'); }");
  } else {
    emitRing(writer, plan, options);
  }
  emitRows(writer, plan);
  if (options.snapshot) emitSnapshot(writer, plan, options);
  else writer.line("function snapshot() { throw new Error('BUG: no entries to compare with'); }");
  writer.line("return { ring, rows, snapshot };");
  writer.line("//# sourceURL=kmeter-ingest.js");
  return writer.toString();
}

/** True if the key words lie in the `scratch` array instead of locals. */
function keysInArray(plan: MetricsPlan): boolean {
  return plan.keyWordCount > 2 * MAX_UNROLLED_WORDS ||
    plan.keyParts.some(({ field }) => keyWordCount(field) > MAX_UNROLLED_WORDS);
}

/** Declares the variables of a loop and fetches the store's views. */
function emitPrologue(writer: CodeWriter, plan: MetricsPlan): void {
  writer.line("let { table, mask } = store, { words, cells, floats } = memory;");
  if (plan.ttlMs > 0) writer.line(`const now = store.nowMs, oldest = now - ${plan.ttlMs};`);
  if (!keysInArray(plan) && plan.keyWordCount > 0) {
    writer.line(`let ${wordNames(plan).map((name) => `${name} = 0`).join(", ")};`);
  }
  // Without keys everything goes to series 1.
  writer.line(`let id = 1, row = ${rowLayout(plan).strideCells}, h = 0, z = 0, slot = 0;`);
  writer.line("let k = 0, j = 0, t = 0, x = 0, y = 0, lo = 0, hi = 0, a = 0, b = 0;");
  writer.line("let filtered = 0, overflowed = 0;");
}

/** Writes back what the loop counted in locals. */
function emitEpilogue(writer: CodeWriter, received: string): void {
  writer.line(`stats.received += ${received};`).line("stats.filtered += filtered;");
  writer.line("stats.overflowed += overflowed;");
}

/** Fetches the views anew after `store.insert`. */
function emitReload(writer: CodeWriter): void {
  writer.line("({ table, mask } = store);").line("({ words, cells, floats } = memory);");
}

function wordNames(plan: MetricsPlan): string[] {
  return Array.from({ length: plan.keyWordCount }, (_, index) => `w${index}`);
}

/** Emits what finds the record's series and assigns `id`. */
function emitFindSeries(writer: CodeWriter, plan: MetricsPlan): void {
  const count = plan.keyWordCount;
  if (count === 0) return;
  const inArray = keysInArray(plan);
  for (const { field, firstWord } of plan.keyParts) {
    emitKeyWords(writer, field, {
      segment: SEGMENTS[field.segment],
      word: (index) => inArray ? `scratch[${firstWord + index}]` : `w${firstWord + index}`,
      array: inArray ? { name: "scratch", start: firstWord } : undefined,
    });
  }
  const words = inArray
    ? Array.from({ length: count }, (_, index) => `scratch[${index}]`)
    : wordNames(plan);
  emitHash(writer, words);
  writer.line("slot = h & mask;");
  const { strideCells, lastSeenOffset } = rowLayout(plan);
  writer.block("for (;;)", () => {
    writer.line("id = table[slot];");
    writer.block("if (id === 0)", () => {
      writer.block("if (store.refuses)", () => {
        // The id is that of the overflow series already.
        writer.line("overflowed++;").line("row = 0;").line("break;");
      });
      if (!inArray) words.forEach((word, index) => writer.line(`scratch[${index}] = ${word};`));
      writer.line("id = store.insert(h);");
      emitReload(writer);
      writer.line(`row = id * ${strideCells};`).line("break;");
    });
    // Mostly the top bits of the hash tell another key already, without a look at its row.
    writer.block("if ((id ^ h) >>> 24 === 0)", () => {
      writer.line(`id &= ${ID_MASK};`);
      writer.line(`row = id * ${strideCells};`).line("k = row * 2;");
      const equal = words.map((word, index) => `words[k + ${KEY_WORD + index}] === ${word}`);
      writer.line(`if (${equal.join(" && ")}) break;`);
    });
    writer.line("slot = slot + 1 & mask;");
  });
  if (plan.ttlMs > 0) {
    writer.block(`if (id !== ${OVERFLOW_SERIES})`, () => {
      writer.line(`if (floats[row + ${lastSeenOffset}] < oldest) store.restart(id);`);
      writer.line(`floats[row + ${lastSeenOffset}] = now;`);
    });
  }
}

function emitUpdates(writer: CodeWriter, plan: MetricsPlan, record: RecordVariables): void {
  const { offsets } = rowLayout(plan);
  plan.instruments.forEach((instrument, index) => {
    writer.line(`// ${instrument.type} ${index}`);
    emitUpdate(writer, instrument, { index, offset: offsets[index], record });
  });
}

/** One record as an increment; `continue` leaves it. */
function emitRecord(writer: CodeWriter, plan: MetricsPlan): void {
  emitFilter(writer, plan.filter, { segments: SEGMENTS });
  emitFindSeries(writer, plan);
  emitUpdates(writer, plan, { segments: SEGMENTS });
  emitExemplar(writer, plan, SEGMENTS);
}

function emitRing(writer: CodeWriter, plan: MetricsPlan, options: GenerateOptions): void {
  writer.block("function ring(v, begin, end)", () => {
    emitPrologue(writer, plan);
    if (options.atomicHeaders) {
      writer.line("const headers = new Int32Array(v.buffer, v.byteOffset, v.byteLength >> 2);");
    }
    writer.line("let q = begin, p = 0, header = 0, received = 0;");
    writer.line("const u = v, r = 0;");
    writer.block("while (q < end)", () => {
      const load = options.atomicHeaders ? "Atomics.load(headers, q >> 2)" : "v.getInt32(q, true)";
      writer.line(`header = ${load};`);
      writer.line("if (header < 0) break; // still being written");
      writer.line(`p = q + ${RING_HEADER_BYTES};`);
      writer.line(`q = p + ((header & ${RING_LENGTH_MASK}) + 7 & -8);`);
      writer.line(`if ((header & ${RING_DISCARD_BIT}) !== 0) continue;`);
      writer.block(`if ((header & ${RING_LENGTH_MASK}) < ${plan.recordSizeBytes})`, () => {
        writer.line(`short(v, p, header & ${RING_LENGTH_MASK});`);
        emitReload(writer);
        writer.line("continue;");
      });
      writer.line("received++;");
      emitRecord(writer, plan);
    });
    emitEpilogue(writer, "received");
    writer.line("return q;");
  });
  writer.line(`const padded = new Uint8Array(${plan.recordSizeBytes});`);
  writer.line("const paddedView = new DataView(padded.buffer);");
  writer.block("function short(v, p, length)", () => {
    writer.line("stats.shortRecords++;");
    writer.line("padded.fill(0);");
    writer.line("padded.set(new Uint8Array(v.buffer, v.byteOffset + p, length));");
    writer.line(`rows(paddedView, ${plan.recordSizeBytes}, paddedView, 0, 1);`);
  });
}

function emitRowLoop(writer: CodeWriter, name: string, body: () => void): void {
  writer.block(`function ${name}(v, stride, u, valueStride, count)`, () => {
    body();
    emitEpilogue(writer, "count");
  });
}

function emitRows(writer: CodeWriter, plan: MetricsPlan): void {
  emitRowLoop(writer, "rows", () => {
    emitPrologue(writer, plan);
    writer.line("let p = -stride, r = -valueStride;");
    writer.block("for (let index = 0; index < count; index++)", () => {
      writer.line("p += stride;").line("r += valueStride;");
      emitRecord(writer, plan);
    });
  });
}

function emitSnapshot(
  writer: CodeWriter,
  plan: MetricsPlan,
  options: GenerateOptions,
): void {
  const { recordSizeBytes, valueSizeBytes } = plan;
  emitRowLoop(writer, "snapshot", () => {
    emitPrologue(writer, plan);
    writer.line("let p = -stride, r = -valueStride, n = 0;");
    emitEntry(writer, {
      keySizeBytes: recordSizeBytes,
      valueSizeBytes,
      skipZero: options.skipZeroEntries,
      mayChangeSeries: mayChangeSeries(plan),
      segments: SEGMENTS,
      filter: (refuse) => emitFilter(writer, plan.filter, { segments: SEGMENTS, refuse }),
      filtersValues: filtersValues(plan),
      findSeries: () => emitFindSeries(writer, plan),
      update: () => {
        writer.line(`row = id * ${rowLayout(plan).strideCells};`);
        const record = { segments: SEGMENTS, previous: PREVIOUS };
        emitReset(writer, plan.instruments, { record, forget: "entries.forgetValue(e);" });
        emitUpdates(writer, plan, record);
        emitRememberValue(writer, valueSizeBytes, SEGMENTS[1]);
      },
    });
  });
}
