/**
 * Metrics of one instrument as fields of a protobuf MetricFamily (io.prometheus.client), written
 * label set by label set until the buffer is full. What `_sample_writer.ts` says of other threads is
 * true here too.
 *
 * A histogram has its classic buckets, and beside them the native ones if its bounds allow that:
 * Prometheus takes the native ones if it was told to ingest them, and else the classic ones.
 */

import type {
  CellColumn,
  FloatColumn,
  HistogramColumn,
  IntegerColumn,
  NativeBuckets,
} from "../metrics/mod.ts";
import { type ByteRun, byteRun, type ByteWriter } from "./_byte_writer.ts";
import { protobufExemplar, type ReadyExemplar } from "./_exemplar.ts";
import type { FamilyMessage } from "./_family_message.ts";
import { timestampField } from "./_protobuf_timestamp.ts";
import {
  countsSinceStart,
  isBetweenKeys,
  isInBucket,
  MAX_NEW_LABELS,
  type SampleRun,
} from "./_sample_writer.ts";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/** MetricFamily.metric */
const METRIC = 4 << 3 | BYTES;
/** Counter.exemplar, Bucket.exemplar */
const COUNTER_EXEMPLAR = 2 << 3 | BYTES;
const BUCKET_EXEMPLAR = 3 << 3 | BYTES;
/** Counter, Histogram: created_timestamp */
const COUNTER_CREATED = 3 << 3 | BYTES;
const HISTOGRAM_CREATED = 15 << 3 | BYTES;
/** Metric.gauge, .counter, .untyped, .histogram */
const NUMBER_TAGS: ReadonlyMap<string, number> = new Map([
  ["gauge", 2 << 3 | BYTES],
  ["counter", 3 << 3 | BYTES],
]);
const UNTYPED = 5 << 3 | BYTES;
const HISTOGRAM = 7 << 3 | BYTES;
/** The value of a Gauge, a Counter and an Untyped. */
const VALUE = 1 << 3 | FIXED64;
/** Histogram */
const SAMPLE_COUNT = 1 << 3 | VARINT;
const SAMPLE_SUM = 2 << 3 | FIXED64;
const BUCKET = 3 << 3 | BYTES;
const SCHEMA = 5 << 3 | VARINT;
const ZERO_THRESHOLD = 6 << 3 | FIXED64;
const ZERO_COUNT = 7 << 3 | VARINT;
const NEGATIVE = { span: 9 << 3 | BYTES, delta: 10 << 3 | BYTES };
const POSITIVE = { span: 12 << 3 | BYTES, delta: 13 << 3 | BYTES };
/** Bucket */
const CUMULATIVE_COUNT = 1 << 3 | VARINT;
const UPPER_BOUND = 2 << 3 | FIXED64;
/** BucketSpan */
const OFFSET = 1 << 3 | VARINT;
const LENGTH = 2 << 3 | VARINT;

/** Tag and value. */
const DOUBLE_BYTES = 9;
const MAX_VARINT_BYTES = 10;
/** What a metric with one value takes, its labels and the message's length aside. */
export const MAX_NUMBER_METRIC_BYTES = 32;
/** Tags and lengths of the Metric and the Histogram, and all of the latter that is no bucket. */
const MAX_FIXED_BYTES = 128;
/** A classic bucket; and a native one that has a span of its own. */
const MAX_BUCKET_BYTES = 2 + 1 + MAX_VARINT_BYTES + DOUBLE_BYTES;
const MAX_NATIVE_BYTES = 2 + 2 * 6 + MAX_VARINT_BYTES;

/** Empty buckets up to so many in a row cost less as zeros than as the gap between two spans. */
const MAX_FILLED_GAP = 2;

/** Twice that is still a whole number among doubles. */
const MAX_EXACT_COUNT = 2 ** 52;

const NONE = byteRun("");

const CELL = new BigUint64Array(1);
const CELL_HALVES = new Uint32Array(CELL.buffer);

/** What one call of {@linkcode writeMetrics} works on. */
export interface MetricRun extends Omit<SampleRun, "format" | "extras"> {
  readonly message: FamilyMessage;
  /** Name, help and type, as the fields of a MetricFamily. */
  readonly header: Uint8Array;
}

/**
 * Writes whole metrics from `run.from` on and returns the first series not yet written: for want of
 * room, or because enough was done for one call.
 */
export function writeMetrics(out: ByteWriter, run: MetricRun): number {
  const { set, labels, protobufLabels } = run.member.entry;
  const end = Math.min(set.seriesCount, run.from + run.maxRows);
  const { instrument } = run.member;
  const column = instrument.column();
  const sizeBytes = maxMetricBytes(column);
  const write = metricWriter(run, column);
  const lastLabels = protobufLabels.builtCount + MAX_NEW_LABELS;
  let series = run.from;
  for (; series < end && protobufLabels.builtCount < lastLabels; series++) {
    const generation = set.generation(series);
    if (isBetweenKeys(generation) || !set.isLive(series)) continue;
    // Those that are part of a sum have none.
    if (labels.at(series, generation) === undefined) continue;
    const block = protobufLabels.at(series, generation);
    if (block === undefined) continue;
    const exemplar = instrument.exemplar && protobufExemplar(instrument, series);
    const start = out.position;
    const room = {
      header: run.header,
      sizeBytes: sizeBytes + block.lengthBytes + (exemplar?.bytes.lengthBytes ?? 0),
    };
    if (!run.message.makeRoom(out, room)) return series;
    write(out, { block, series, exemplar });
    if (set.generation(series) !== generation) run.message.rewind(out, start);
  }
  return series;
}

/** What a metric is made of besides its values. */
interface MetricParts {
  readonly block: ByteRun;
  readonly series: number;
  readonly exemplar: ReadyExemplar | undefined;
}

type MetricWriter = (out: ByteWriter, parts: MetricParts) => void;

function metricWriter({ member }: MetricRun, column: Column): MetricWriter {
  const { set } = member.entry;
  const { type } = member.instrument;
  const tag = type === "histogram" ? HISTOGRAM_CREATED : COUNTER_CREATED;
  const known = type === "gauge" || set.startMs === undefined
    ? NONE
    : timestampField(tag, set.startMs);
  const createdOf = (series: number) => countsSinceStart(set, series) ? known : NONE;
  if (column.kind === "histogram") {
    const counts = new Float64Array(column.upperBounds.length + 1);
    return (out, parts) =>
      writeHistogram(out, { ...parts, column, counts, created: createdOf(parts.series) });
  }
  const valueAt = column.kind === "integer"
    ? (series: number) => integerAt(column, series)
    : (series: number) => column.floats[firstCell(column, series)];
  return (out, { block, series, exemplar }) =>
    writeNumber(out, {
      block,
      type,
      value: valueAt(series),
      exemplar,
      created: createdOf(series),
    });
}

type Column = IntegerColumn | FloatColumn | HistogramColumn;

function maxMetricBytes(column: Column): number {
  if (column.kind !== "histogram") return MAX_FIXED_BYTES;
  const bounds = column.upperBounds.length;
  const native = column.native === undefined ? 0 : (bounds + 1) * MAX_NATIVE_BYTES;
  return MAX_FIXED_BYTES + bounds * MAX_BUCKET_BYTES + native;
}

function firstCell({ stride, offset }: CellColumn, series: number): number {
  return series * stride + offset;
}

/** The format has doubles only: above 2^53 they are rounded, as Prometheus would. */
function integerAt(column: IntegerColumn, series: number): number {
  CELL[0] = column.cells[firstCell(column, series)];
  const high = column.signed ? CELL_HALVES[1] | 0 : CELL_HALVES[1];
  return high * 4294967296 + CELL_HALVES[0];
}

interface OneNumber {
  readonly block: ByteRun;
  readonly type: string;
  readonly value: number;
  readonly exemplar?: ReadyExemplar;
  /** The field with the time since when it is counted, or nothing. */
  readonly created?: ByteRun;
}

/** Writes a metric with one value; of a type that is neither counter nor gauge as untyped. */
export function writeNumber(
  out: ByteWriter,
  { block, type, value, exemplar, created = NONE }: OneNumber,
): void {
  const sizeBytes = DOUBLE_BYTES + exemplarBytes(exemplar) + created.lengthBytes;
  out.byte(METRIC);
  out.varint(block.lengthBytes + (sizeBytes < 128 ? 2 : 3) + sizeBytes);
  out.copy(block);
  out.byte(NUMBER_TAGS.get(type) ?? UNTYPED);
  out.varint(sizeBytes);
  out.byte(VALUE);
  out.float64(value);
  writeExemplar(out, COUNTER_EXEMPLAR, exemplar);
  out.copy(created);
}

/** Size of the field: an exemplar has 2 to 3 bytes of tag and length before it. */
function exemplarBytes(exemplar: ReadyExemplar | undefined): number {
  if (exemplar === undefined) return 0;
  const { lengthBytes } = exemplar.bytes;
  return (lengthBytes < 128 ? 2 : 3) + lengthBytes;
}

function writeExemplar(out: ByteWriter, tag: number, exemplar: ReadyExemplar | undefined): void {
  if (exemplar === undefined) return;
  out.byte(tag);
  out.varint(exemplar.bytes.lengthBytes);
  out.copy(exemplar.bytes);
}

interface OneHistogram extends MetricParts {
  readonly column: HistogramColumn;
  /** Scratch: each cell is read once, so that classic and native buckets and the count agree. */
  readonly counts: Float64Array;
  readonly created: ByteRun;
}

function writeHistogram(out: ByteWriter, one: OneHistogram): void {
  const { block, column, series, exemplar, counts, created } = one;
  const { cells, floats, upperBounds, native } = column;
  const first = firstCell(column, series);
  const bounds = upperBounds.length;
  out.byte(METRIC);
  const metric = out.beginLength();
  out.copy(block);
  out.byte(HISTOGRAM);
  const histogram = out.beginLength();
  out.byte(SAMPLE_SUM);
  out.float64(floats[first + bounds + 1]);
  let low = 0;
  let high = 0;
  for (let index = 0; index <= bounds; index++) {
    CELL[0] = cells[first + index];
    counts[index] = CELL_HALVES[1] * 4294967296 + CELL_HALVES[0];
    low += CELL_HALVES[0];
    high += CELL_HALVES[1];
    if (low >= 4294967296) {
      low -= 4294967296;
      high++;
    }
    const isIn = exemplar !== undefined && isInBucket(exemplar.value, upperBounds, index);
    // The bucket +Inf is the count: it is only there for its exemplar.
    if (index === bounds && !isIn) break;
    const upperBound = index < bounds ? upperBounds[index] : Infinity;
    writeBucket(out, { low, high, upperBound, exemplar: isIn ? exemplar : undefined });
  }
  out.byte(SAMPLE_COUNT);
  out.varint64(low, high);
  // One that is not exact is refused by Prometheus, and the whole page with it.
  const isExact = high * 4294967296 + low <= MAX_EXACT_COUNT;
  if (native !== undefined && isExact) writeNative(out, native, counts);
  out.copy(created);
  out.endLength(histogram);
  out.endLength(metric);
}

function writeBucket(
  out: ByteWriter,
  { low, high, upperBound, exemplar }: {
    low: number;
    high: number;
    upperBound: number;
    exemplar: ReadyExemplar | undefined;
  },
): void {
  out.byte(BUCKET);
  const start = exemplar === undefined ? out.position : out.beginLength();
  if (exemplar === undefined) out.byte(0);
  out.byte(CUMULATIVE_COUNT);
  out.varint64(low, high);
  out.byte(UPPER_BOUND);
  out.float64(upperBound);
  if (exemplar === undefined) {
    out.setByte(start, out.position - start - 1);
    return;
  }
  writeExemplar(out, BUCKET_EXEMPLAR, exemplar);
  out.endLength(start);
}

function writeNative(out: ByteWriter, native: NativeBuckets, counts: Float64Array): void {
  const { schema, zeroThreshold, zeroCell, firstIndex } = native;
  out.byte(SCHEMA);
  out.varint(zigzag(schema));
  out.byte(ZERO_THRESHOLD);
  out.float64(zeroThreshold);
  out.byte(ZERO_COUNT);
  out.varint(counts[zeroCell]);
  writeSide(out, { tags: POSITIVE, counts: counts.subarray(zeroCell + 1), firstIndex });
  if (zeroCell === 0) return;
  const below = counts.slice(0, zeroCell).reverse();
  writeSide(out, { tags: NEGATIVE, counts: below, firstIndex });
}

interface Side {
  readonly tags: { readonly span: number; readonly delta: number };
  /** From zero outwards. */
  readonly counts: Float64Array;
  readonly firstIndex: number;
}

/** Spans, then the counts, each as the difference to the one before it. */
function writeSide(out: ByteWriter, side: Side): void {
  const { tags, counts, firstIndex } = side;
  let end = 0;
  let offset = firstIndex;
  for (let next = nextSpan(counts, end); next !== undefined; next = nextSpan(counts, end)) {
    out.byte(tags.span);
    const start = out.position;
    out.byte(0);
    out.byte(OFFSET);
    out.varint(zigzag(offset + next.start - end));
    out.byte(LENGTH);
    out.varint(next.end - next.start);
    out.setByte(start, out.position - start - 1);
    end = next.end;
    offset = 0;
  }
  if (end === 0) return;
  out.byte(tags.delta);
  const length = out.beginLength();
  let last = 0;
  end = 0;
  for (let next = nextSpan(counts, end); next !== undefined; next = nextSpan(counts, end)) {
    for (let index = next.start; index < next.end; index++) {
      out.varint(zigzag(counts[index] - last));
      last = counts[index];
    }
    end = next.end;
  }
  out.endLength(length);
}

/** The next run of buckets at or behind `from` that has no long gap in it. */
function nextSpan(
  counts: Float64Array,
  from: number,
): { readonly start: number; readonly end: number } | undefined {
  let start = from;
  while (start < counts.length && counts[start] === 0) start++;
  if (start === counts.length) return undefined;
  let end = start + 1;
  for (let index = end; index < counts.length && index - end <= MAX_FILLED_GAP; index++) {
    if (counts[index] !== 0) end = index + 1;
  }
  return { start, end };
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
