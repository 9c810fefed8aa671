/** Prometheus' protobuf exposition, read by a library that knows nothing of kmeter. */

import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

type Fields = Readonly<Record<string, readonly [number: number, type: Type | string, "repeated"?]>>;

/** Field numbers and types of io.prometheus.client in `metrics.proto` of prometheus/client_model. */
const MESSAGES: Readonly<Record<string, Fields>> = {
  LabelPair: { name: [1, Type.STRING], value: [2, Type.STRING] },
  Gauge: { value: [1, Type.DOUBLE] },
  Counter: { value: [1, Type.DOUBLE], exemplar: [2, "Exemplar"], created: [3, "Timestamp"] },
  Untyped: { value: [1, Type.DOUBLE] },
  Histogram: {
    sample_count: [1, Type.UINT64],
    sample_sum: [2, Type.DOUBLE],
    bucket: [3, "Bucket", "repeated"],
    schema: [5, Type.SINT32],
    zero_threshold: [6, Type.DOUBLE],
    zero_count: [7, Type.UINT64],
    negative_span: [9, "BucketSpan", "repeated"],
    negative_delta: [10, Type.SINT64, "repeated"],
    positive_span: [12, "BucketSpan", "repeated"],
    positive_delta: [13, Type.SINT64, "repeated"],
    created: [15, "Timestamp"],
  },
  Bucket: {
    cumulative_count: [1, Type.UINT64],
    upper_bound: [2, Type.DOUBLE],
    exemplar: [3, "Exemplar"],
  },
  BucketSpan: { offset: [1, Type.SINT32], length: [2, Type.UINT32] },
  Exemplar: {
    label: [1, "LabelPair", "repeated"],
    value: [2, Type.DOUBLE],
    timestamp: [3, "Timestamp"],
  },
  Timestamp: { seconds: [1, Type.INT64], nanos: [2, Type.INT32] },
  Metric: {
    label: [1, "LabelPair", "repeated"],
    gauge: [2, "Gauge"],
    counter: [3, "Counter"],
    untyped: [5, "Untyped"],
    timestamp_ms: [6, Type.INT64],
    histogram: [7, "Histogram"],
  },
  MetricFamily: {
    name: [1, Type.STRING],
    help: [2, Type.STRING],
    type: [3, Type.INT32],
    metric: [4, "Metric", "repeated"],
    unit: [5, Type.STRING],
  },
};

const FILE = create(FileDescriptorProtoSchema, {
  name: "metrics.proto",
  package: "m",
  syntax: "proto3",
  messageType: Object.entries(MESSAGES).map(([name, fields]) => ({
    name,
    field: Object.entries(fields).map(([name, [number, type, repeated]]) => ({
      name,
      number,
      label: repeated === undefined ? Label.OPTIONAL : Label.REPEATED,
      type: typeof type === "string" ? Type.MESSAGE : type,
      typeName: typeof type === "string" ? `.m.${type}` : "",
    })),
  })),
});

const FAMILY = createFileRegistry(create(FileDescriptorSetSchema, { file: [FILE] }))
  .getMessage("m.MetricFamily");

export interface Pair {
  readonly name: string;
  readonly value: string;
}

export interface Exemplar {
  readonly label: readonly Pair[];
  readonly value: number;
  readonly timestamp?: Timestamp;
}

export interface Timestamp {
  readonly seconds: bigint;
  readonly nanos: number;
}

interface Single {
  readonly value: number;
  readonly exemplar?: Exemplar;
  readonly created?: Timestamp;
}

export interface Span {
  readonly offset: number;
  readonly length: number;
}

export interface Histogram {
  readonly sampleCount: bigint;
  readonly sampleSum: number;
  readonly bucket: readonly {
    readonly cumulativeCount: bigint;
    readonly upperBound: number;
    readonly exemplar?: Exemplar;
  }[];
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: bigint;
  readonly negativeSpan: readonly Span[];
  readonly negativeDelta: readonly bigint[];
  readonly positiveSpan: readonly Span[];
  readonly positiveDelta: readonly bigint[];
  readonly created?: Timestamp;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: number;
  readonly unit: string;
  readonly metric: readonly {
    readonly label: readonly Pair[];
    readonly gauge?: Single;
    readonly counter?: Single;
    readonly untyped?: Single;
    readonly histogram?: Histogram;
  }[];
}

/** Messages of a page. Throws for bytes that are none, and for fields that the format does not have. */
export function readFamilies(page: Uint8Array): MetricFamily[] {
  if (FAMILY === undefined) throw new Error("no descriptor");
  const families: MetricFamily[] = [];
  for (let position = 0; position < page.length;) {
    const { value: length, end } = readVarint(page, position);
    if (end + length > page.length) throw new Error(`message at ${position} ends behind the page`);
    const family = fromBinary(FAMILY, page.subarray(end, end + length));
    refuseUnknown(family);
    families.push(family as unknown as MetricFamily);
    position = end + length;
  }
  return families;
}

/** Indexes and counts of native buckets, zeros left out. */
export function nativeCounts(
  spans: readonly Span[],
  deltas: readonly bigint[],
): [index: number, count: number][] {
  const counts: [number, number][] = [];
  let index = 0;
  let next = 0;
  let count = 0n;
  for (const { offset, length } of spans) {
    index += offset;
    for (let left = length; left > 0; left--, index++) {
      count += deltas[next++];
      if (count !== 0n) counts.push([index, Number(count)]);
    }
  }
  if (next !== deltas.length) throw new Error(`${deltas.length} deltas for ${next} buckets`);
  return counts;
}

function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  for (let scale = 1;; scale *= 128) {
    const byte = bytes[end++];
    if (byte === undefined || scale > 2 ** 35) throw new Error(`no length at ${start}`);
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end };
  }
}

function refuseUnknown(value: unknown): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if ("$unknown" in value && Array.isArray(value.$unknown) && value.$unknown.length > 0) {
    throw new Error(`unknown fields: ${JSON.stringify(value.$unknown)}`);
  }
  for (const part of Object.values(value)) {
    if (Array.isArray(part)) part.forEach(refuseUnknown);
    else refuseUnknown(part);
  }
}
