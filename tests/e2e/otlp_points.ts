/** OTLP requests as the official definitions decode them, as flat lists of data points. */

import protobuf from "protobufjs";

/** promotel's package has OpenTelemetry's own definitions beside its code. */
const PROTO = new URL(
  "../proto/opentelemetry/proto/",
  import.meta.resolve("@platformatic/promotel"),
);
const FILES = ["common/v1/common", "resource/v1/resource", "metrics/v1/metrics"];
const SERVICE = "collector/metrics/v1/metrics_service";

const root = new protobuf.Root();
for (const file of [...FILES, SERVICE]) {
  protobuf.parse(Deno.readTextFileSync(new URL(`${file}.proto`, PROTO)), root);
}
const messageType = (name: string) =>
  root.lookupType(`opentelemetry.proto.collector.metrics.v1.${name}`);
const ExportMetricsServiceRequest = messageType("ExportMetricsServiceRequest");
const ExportMetricsServiceResponse = messageType("ExportMetricsServiceResponse");

/** One data point and all that stands around it. */
export interface ReceivedPoint {
  readonly scope: string;
  readonly metric: string;
  readonly description: string;
  readonly unit: string;
  readonly shape: "gauge" | "sum" | "histogram" | "exponentialHistogram";
  /** 1 delta, 2 cumulative; absent for gauges. */
  readonly temporality?: number;
  readonly isMonotonic?: boolean;
  readonly attributes: Readonly<Record<string, string | boolean>>;
  readonly startNs: bigint;
  readonly timeNs: bigint;
  /** Of sums and gauges; integers as bigint. */
  readonly value?: bigint | number;
  /** Of distributions, as decoded: 64-bit integers are strings. */
  readonly distribution?: Distribution;
}

/** A histogram's point; which fields there are depends on its kind. */
export interface Distribution {
  readonly count: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
  readonly scale?: number;
  readonly zeroCount?: string;
  readonly positive?: { readonly offset: number; readonly bucketCounts: readonly string[] };
}

/** One request. */
export interface DecodedRequest {
  readonly resource: Readonly<Record<string, string | boolean>>;
  readonly points: readonly ReceivedPoint[];
}

/** Decodes protobuf. Throws: Error if it is none. */
export function decodeRequest(bytes: Uint8Array): DecodedRequest {
  return flatten(ExportMetricsServiceRequest.decode(bytes));
}

/** Decodes OTLP's JSON. */
export function decodeJsonRequest(text: string): DecodedRequest {
  return flatten(ExportMetricsServiceRequest.fromObject(JSON.parse(text)));
}

/** A collector's answer that leaves out points. */
export function encodePartialSuccess(
  rejectedDataPoints: number,
  errorMessage: string,
): Uint8Array<ArrayBuffer> {
  const message = ExportMetricsServiceResponse.fromObject({
    partialSuccess: { rejectedDataPoints, errorMessage },
  });
  return new Uint8Array(ExportMetricsServiceResponse.encode(message).finish());
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly boolValue?: boolean };
}

interface NumberPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly asInt?: string;
  readonly asDouble?: number;
}

interface Data {
  readonly dataPoints: readonly (NumberPoint & Distribution)[];
  readonly aggregationTemporality?: number;
  readonly isMonotonic?: boolean;
}

interface Request {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string };
      readonly metrics: readonly (
        & { readonly name: string; readonly description: string; readonly unit: string }
        & Partial<Readonly<Record<ReceivedPoint["shape"], Data>>>
      )[];
    }[];
  }[];
}

const SHAPES = ["gauge", "sum", "histogram", "exponentialHistogram"] as const;

function flatten(message: protobuf.Message): DecodedRequest {
  const { resourceMetrics } = ExportMetricsServiceRequest.toObject(message, {
    longs: String,
    defaults: true,
  }) as unknown as Request;
  if (resourceMetrics.length !== 1) throw new Error(`${resourceMetrics.length} resources`);
  const [{ resource, scopeMetrics }] = resourceMetrics;
  const points = scopeMetrics.flatMap(({ scope, metrics }) =>
    metrics.flatMap((metric) => {
      const shape = SHAPES.find((candidate) => metric[candidate] !== undefined);
      const data = shape && metric[shape];
      if (shape === undefined || data === undefined) throw new Error(`${metric.name} has no data`);
      return data.dataPoints.map((point): ReceivedPoint => ({
        scope: scope.name,
        metric: metric.name,
        description: metric.description,
        unit: metric.unit,
        shape,
        temporality: data.aggregationTemporality,
        isMonotonic: data.isMonotonic,
        attributes: record(point.attributes),
        startNs: BigInt(point.startTimeUnixNano),
        timeNs: BigInt(point.timeUnixNano),
        ...(shape === "gauge" || shape === "sum"
          ? { value: point.asInt === undefined ? point.asDouble : BigInt(point.asInt) }
          : { distribution: point }),
      }));
    })
  );
  return { resource: record(resource.attributes), points };
}

function record(attributes: readonly KeyValue[]): Record<string, string | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? "?"]),
  );
}
