/** Sample lines of one instrument, written label set by label set until the buffer is full. */

import type { FloatColumn, HistogramColumn, IntegerColumn, MetricSet } from "../metrics/mod.ts";
import { type ByteRun, byteRun, type ByteWriter, MAX_NUMBER_BYTES } from "./_byte_writer.ts";
import type { Family, FamilyMember } from "./_family.ts";
import type { TextExposition } from "./_number_text.ts";

const NEWLINE = 10;
const LABELS_END = byteRun("} ");

/** What one call of {@linkcode writeSamples} works on. */
export interface SampleRun {
  readonly family: Family;
  readonly member: FamilyMember;
  readonly format: TextExposition;
  /** First series to write. */
  readonly from: number;
}

/** First live series at or after `from`, or `seriesCount`. */
export function nextLive(set: MetricSet, from: number): number {
  let series = from;
  while (series < set.seriesCount && !set.isLive(series)) series++;
  return series;
}

/**
 * Writes whole label sets from `run.from` on and returns the first series not yet written.
 *
 * A histogram that is cut in two would be inconsistent, so a label set is written whole or not at all.
 * Should the set throw, nothing of the label set at hand is left behind.
 */
export function writeSamples(out: ByteWriter, run: SampleRun): number {
  const column = run.member.instrument.column();
  switch (column.kind) {
    case "integer":
      return writeIntegers(out, run, column);
    case "float":
      return writeFloats(out, run, column);
    case "histogram":
      return writeHistograms(out, run, column);
  }
}

function writeIntegers(out: ByteWriter, run: SampleRun, column: IntegerColumn): number {
  const { set, labels } = run.member.entry;
  const name = run.family.names.plain;
  const { words, signed } = column;
  const count = set.seriesCount;
  for (let series = run.from; series < count; series++) {
    if (!set.isLive(series)) continue;
    const block = labels.at(series);
    if (!makeRoom(out, name.lengthBytes + block.lengthBytes + MAX_NUMBER_BYTES)) return series;
    beginLine(out, name, block);
    const low = words[2 * series];
    const high = words[2 * series + 1];
    if (signed) out.int64(low, high);
    else out.uint64(low, high);
    out.byte(NEWLINE);
  }
  return count;
}

function writeFloats(out: ByteWriter, run: SampleRun, column: FloatColumn): number {
  const { set, labels } = run.member.entry;
  const name = run.family.names.plain;
  const { values } = column;
  const count = set.seriesCount;
  for (let series = run.from; series < count; series++) {
    if (!set.isLive(series)) continue;
    const block = labels.at(series);
    if (!makeRoom(out, name.lengthBytes + block.lengthBytes + MAX_NUMBER_BYTES)) return series;
    beginLine(out, name, block);
    out.double(values[series]);
    out.byte(NEWLINE);
  }
  return count;
}

function writeHistograms(out: ByteWriter, run: SampleRun, column: HistogramColumn): number {
  const { set, labels } = run.member.entry;
  const { names } = run.family;
  const bounds = run.family.boundRuns(column.upperBounds, run.format);
  let fixedBytes = 2 * MAX_NUMBER_BYTES + names.sum.lengthBytes + names.count.lengthBytes;
  for (const bound of bounds) {
    fixedBytes += names.bucket.lengthBytes + bound.lengthBytes + MAX_NUMBER_BYTES;
  }
  const lines = bounds.length + 2;
  const count = set.seriesCount;
  for (let series = run.from; series < count; series++) {
    if (!set.isLive(series)) continue;
    const block = labels.at(series);
    if (!makeRoom(out, fixedBytes + lines * block.lengthBytes)) return series;
    writeHistogram(out, { run, column, bounds, block, series });
  }
  return count;
}

interface OneHistogram {
  readonly run: SampleRun;
  readonly column: HistogramColumn;
  readonly bounds: readonly ByteRun[];
  readonly block: ByteRun;
  readonly series: number;
}

function writeHistogram(out: ByteWriter, one: OneHistogram): void {
  const { bucket, sum, count } = one.run.family.names;
  const { counts, sums, stride } = one.column;
  let low = 0;
  let high = 0;
  for (let index = 0; index < stride; index++) {
    const at = 2 * (one.series * stride + index);
    low += counts[at];
    high += counts[at + 1];
    if (low >= 4294967296) {
      low -= 4294967296;
      high++;
    }
    out.copy(bucket);
    out.copy(one.block);
    out.copy(one.bounds[index]);
    out.uint64(low, high);
    out.byte(NEWLINE);
  }
  beginLine(out, sum, one.block);
  out.double(sums[one.series]);
  out.byte(NEWLINE);
  beginLine(out, count, one.block);
  out.uint64(low, high);
  out.byte(NEWLINE);
}

function beginLine(out: ByteWriter, name: ByteRun, block: ByteRun): void {
  out.copy(name);
  out.copy(block);
  out.copy(LABELS_END);
}

/** False if what is in the buffer must leave first. A label set larger than the buffer makes it grow. */
function makeRoom(out: ByteWriter, sizeBytes: number): boolean {
  if (out.hasRoom(sizeBytes)) return true;
  if (out.position > 0) return false;
  out.grow(sizeBytes);
  return true;
}
