/**
 * Sample lines of one instrument, written label set by label set until the buffer is full.
 *
 * Another thread may be counting meanwhile, and may give the series of a key that left to another
 * key. What is written of a series whose generation changed is taken back: the key that it belonged
 * to has left, and the new one has its turn at the next scrape.
 */

import type {
  Column,
  FloatColumn,
  HistogramColumn,
  IntegerColumn,
  MetricSet,
} from "../metrics/mod.ts";
import { type ByteRun, byteRun, type ByteWriter, MAX_NUMBER_BYTES } from "./_byte_writer.ts";
import { openMetricsExemplar, type ReadyExemplar } from "./_exemplar.ts";
import type { Family, FamilyMember } from "./_family.ts";
import type { TextExposition } from "./_number_text.ts";

const NEWLINE = 10;
const LABELS_END = byteRun("} ");

/** A cell is moved here by one access, which is what makes it whole, and taken apart here. */
const CELL = new BigUint64Array(1);
const CELL_HALVES = new Uint32Array(CELL.buffer);

/** What text samples of a family have besides values. */
export interface SampleExtras {
  /** Each label set tells since when it counts. */
  readonly created: boolean;
  readonly exemplars: boolean;
}

export const NO_EXTRAS: SampleExtras = { created: false, exemplars: false };

/** What one call of {@linkcode writeSamples} works on. */
export interface SampleRun {
  readonly family: Family;
  readonly member: FamilyMember;
  readonly format: TextExposition;
  readonly extras: SampleExtras;
  /** First series to write. */
  readonly from: number;
  /** Series to look at, at most. */
  readonly maxRows: number;
}

/** First live series at or after `from`, or the first not looked at: `seriesCount` if there is none. */
export function nextLive(
  set: MetricSet,
  { from, maxRows }: { from: number; maxRows: number },
): number {
  const end = Math.min(set.seriesCount, from + maxRows);
  let series = from;
  while (series < end && !set.isLive(series)) series++;
  return series;
}

/** True of a generation during which a series is given to another key. */
export function isBetweenKeys(generation: number): boolean {
  return (generation & 1) === 1;
}

/** True if the series counts since the set's `startMs`, as far as that is known. */
export function countsSinceStart(set: MetricSet, series: number): boolean {
  return set.startMs !== undefined && set.generation(series) === 0 && !set.isOverflow(series);
}

/**
 * Label sets made in one call at most. They cost 1 µs each, the first ones more than ten times that:
 * the main thread has other things to do in between.
 */
export const MAX_NEW_LABELS = 256;

/**
 * Writes whole label sets from `run.from` on and returns the first series not yet written: for want of
 * room, or because enough was done for one call.
 *
 * A histogram that is cut in two would be inconsistent, so a label set is written whole or not at all.
 * Should the set throw, nothing of the label set at hand is left behind.
 */
export function writeSamples(out: ByteWriter, run: SampleRun): number {
  // The column has room for the series that were there before it was asked for.
  const end = Math.min(run.member.entry.set.seriesCount, run.from + run.maxRows);
  const column = run.member.instrument.column();
  switch (column.kind) {
    case "integer":
      return writeIntegers(out, { run, column, end });
    case "float":
      return writeFloats(out, { run, column, end });
    case "histogram":
      return writeHistograms(out, { run, column, end });
  }
}

interface ColumnRun<C extends Column> {
  readonly run: SampleRun;
  readonly column: C;
  /** First series not to look at. */
  readonly end: number;
}

/** A loop of its own: one for integers and doubles takes 120 ns a line instead of 78. */
function writeIntegers(out: ByteWriter, { run, column, end }: ColumnRun<IntegerColumn>): number {
  const { set, labels } = run.member.entry;
  const name = run.family.names.plain;
  const { cells, stride, offset, signed } = column;
  const created = createdLine(run);
  const exemplarOf = exemplarReader(run);
  const lastLabels = labels.builtCount + MAX_NEW_LABELS;
  let series = run.from;
  for (; series < end && labels.builtCount < lastLabels; series++) {
    const generation = set.generation(series);
    if (isBetweenKeys(generation) || !set.isLive(series)) continue;
    const block = labels.at(series, generation);
    if (block === undefined) continue;
    const exemplar = exemplarOf === undefined ? undefined : exemplarOf(series);
    const sizeBytes = name.lengthBytes + block.lengthBytes + MAX_NUMBER_BYTES;
    const moreBytes = createdBytes(created, block) + (exemplar?.bytes.lengthBytes ?? 0);
    if (!out.makeRoom(sizeBytes + moreBytes)) return series;
    const start = out.position;
    beginLine(out, name, block);
    CELL[0] = cells[series * stride + offset];
    if (signed) out.int64(CELL_HALVES[0], CELL_HALVES[1]);
    else out.uint64(CELL_HALVES[0], CELL_HALVES[1]);
    if (exemplar !== undefined) out.copy(exemplar.bytes);
    out.byte(NEWLINE);
    if (created !== undefined) writeCreated(out, { created, set, block, series });
    if (set.generation(series) !== generation) out.rewind(start);
  }
  return series;
}

function writeFloats(out: ByteWriter, { run, column, end }: ColumnRun<FloatColumn>): number {
  const { set, labels } = run.member.entry;
  const name = run.family.names.plain;
  const { floats, stride, offset } = column;
  const created = createdLine(run);
  const exemplarOf = exemplarReader(run);
  const lastLabels = labels.builtCount + MAX_NEW_LABELS;
  let series = run.from;
  for (; series < end && labels.builtCount < lastLabels; series++) {
    const generation = set.generation(series);
    if (isBetweenKeys(generation) || !set.isLive(series)) continue;
    const block = labels.at(series, generation);
    if (block === undefined) continue;
    const exemplar = exemplarOf === undefined ? undefined : exemplarOf(series);
    const sizeBytes = name.lengthBytes + block.lengthBytes + MAX_NUMBER_BYTES;
    const moreBytes = createdBytes(created, block) + (exemplar?.bytes.lengthBytes ?? 0);
    if (!out.makeRoom(sizeBytes + moreBytes)) return series;
    const start = out.position;
    beginLine(out, name, block);
    out.double(floats[series * stride + offset]);
    if (exemplar !== undefined) out.copy(exemplar.bytes);
    out.byte(NEWLINE);
    if (created !== undefined) writeCreated(out, { created, set, block, series });
    if (set.generation(series) !== generation) out.rewind(start);
  }
  return series;
}

function writeHistograms(
  out: ByteWriter,
  { run, column, end }: ColumnRun<HistogramColumn>,
): number {
  const { set, labels } = run.member.entry;
  const { names } = run.family;
  const created = createdLine(run);
  const exemplarOf = exemplarReader(run);
  const bounds = run.family.boundRuns(column.upperBounds, run.format);
  let fixedBytes = 2 * MAX_NUMBER_BYTES + names.sum.lengthBytes + names.count.lengthBytes;
  for (const bound of bounds) {
    fixedBytes += names.bucket.lengthBytes + bound.lengthBytes + MAX_NUMBER_BYTES;
  }
  const lines = bounds.length + 2;
  const lastLabels = labels.builtCount + MAX_NEW_LABELS;
  let series = run.from;
  for (; series < end && labels.builtCount < lastLabels; series++) {
    const generation = set.generation(series);
    if (isBetweenKeys(generation) || !set.isLive(series)) continue;
    const block = labels.at(series, generation);
    if (block === undefined) continue;
    const exemplar = exemplarOf === undefined ? undefined : exemplarOf(series);
    const moreBytes = createdBytes(created, block) + (exemplar?.bytes.lengthBytes ?? 0);
    if (!out.makeRoom(fixedBytes + lines * block.lengthBytes + moreBytes)) return series;
    const start = out.position;
    writeHistogram(out, { run, column, bounds, block, series, exemplar });
    if (created !== undefined) writeCreated(out, { created, set, block, series });
    if (set.generation(series) !== generation) out.rewind(start);
  }
  return series;
}

/** Reads exemplars where the family and the instrument have them. */
function exemplarReader(
  { extras, member: { instrument } }: SampleRun,
): ((series: number) => ReadyExemplar | undefined) | undefined {
  if (!extras.exemplars || instrument.exemplar === undefined) return undefined;
  return (series) => openMetricsExemplar(instrument, series);
}

/** True if a histogram counts the value in that bucket; the last one is +Inf. */
export function isInBucket(value: number, upperBounds: Float64Array, index: number): boolean {
  return (index === upperBounds.length || value <= upperBounds[index]) &&
    (index === 0 || value > upperBounds[index - 1]);
}

/** A `_created` sample, but for the labels. */
interface CreatedLine {
  readonly name: ByteRun;
  readonly value: ByteRun;
}

function createdLine({ family, member, extras }: SampleRun): CreatedLine | undefined {
  const { startMs } = member.entry.set;
  if (!extras.created || startMs === undefined) return undefined;
  return { name: family.names.created, value: byteRun(`${startMs / 1000}\n`) };
}

function createdBytes(created: CreatedLine | undefined, block: ByteRun): number {
  return created === undefined
    ? 0
    : created.name.lengthBytes + block.lengthBytes + created.value.lengthBytes + 2;
}

function writeCreated(
  out: ByteWriter,
  { created, set, block, series }: {
    created: CreatedLine;
    set: MetricSet;
    block: ByteRun;
    series: number;
  },
): void {
  if (!countsSinceStart(set, series)) return;
  beginLine(out, created.name, block);
  out.copy(created.value);
}

interface OneHistogram {
  readonly run: SampleRun;
  readonly column: HistogramColumn;
  readonly bounds: readonly ByteRun[];
  readonly block: ByteRun;
  readonly series: number;
  readonly exemplar: ReadyExemplar | undefined;
}

function writeHistogram(out: ByteWriter, one: OneHistogram): void {
  const { bucket, sum, count } = one.run.family.names;
  const { exemplar } = one;
  const { cells, floats, stride, offset, upperBounds } = one.column;
  const first = one.series * stride + offset;
  const buckets = one.bounds.length;
  let low = 0;
  let high = 0;
  for (let index = 0; index < buckets; index++) {
    CELL[0] = cells[first + index];
    low += CELL_HALVES[0];
    high += CELL_HALVES[1];
    if (low >= 4294967296) {
      low -= 4294967296;
      high++;
    }
    out.copy(bucket);
    out.copy(one.block);
    out.copy(one.bounds[index]);
    out.uint64(low, high);
    if (exemplar !== undefined && isInBucket(exemplar.value, upperBounds, index)) {
      out.copy(exemplar.bytes);
    }
    out.byte(NEWLINE);
  }
  const total = floats[first + buckets];
  if (one.run.format === "openmetrics" && !isCounterSum(total, one.column)) return;
  beginLine(out, sum, one.block);
  out.double(total);
  out.byte(NEWLINE);
  beginLine(out, count, one.block);
  out.uint64(low, high);
  out.byte(NEWLINE);
}

/** OpenMetrics: a sum that may go down is no counter, and is left out together with the count. */
function isCounterSum(total: number, { upperBounds }: HistogramColumn): boolean {
  return total >= 0 && !(upperBounds[0] < 0);
}

function beginLine(out: ByteWriter, name: ByteRun, block: ByteRun): void {
  out.copy(name);
  out.copy(block);
  out.copy(LABELS_END);
}
