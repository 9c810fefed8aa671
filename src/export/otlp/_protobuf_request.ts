/** `ExportMetricsServiceRequest` as protobuf. Numbers of fields are those of opentelemetry-proto. */

import {
  type AttributeValue,
  type ExponentialPoint,
  type HistogramPoint,
  type MetricHead,
  type MetricShape,
  nanoseconds,
  type NumberPoint,
  type Point,
  type RequestWriter,
  TEMPORALITY,
  type Temporality,
} from "./_points.ts";
import { ProtobufWriter } from "./_protobuf_writer.ts";
import type { ResourceAttributes } from "./resource.ts";

const RESOURCE_METRICS = 1;
const RESOURCE = { message: 1, attributes: 1 };
const SCOPE_METRICS = { message: 2, scope: 1, name: 1, version: 2 };
const METRIC = { message: 2, name: 1, description: 2, unit: 3 };
const SHAPES: Readonly<Record<MetricShape, number>> = {
  gauge: 5,
  sum: 7,
  histogram: 9,
  exponentialHistogram: 10,
};
const DATA = { points: 1, temporality: 2, isMonotonic: 3 };
const POINT = { start: 2, time: 3 };
const NUMBER = { attributes: 7, double: 4, integer: 6 };
const DISTRIBUTION = { count: 4, sum: 5 };
const HISTOGRAM = { attributes: 9, counts: 6, bounds: 7 };
const EXPONENTIAL = { attributes: 1, scale: 6, zeroCount: 7, positive: 8, offset: 1, counts: 2 };
const KEY_VALUE = { key: 1, value: 2, string: 1, bool: 2 };

export class ProtobufRequest implements RequestWriter {
  readonly #out = new ProtobufWriter();
  readonly #resource: ResourceAttributes;
  readonly #temporality: Temporality;
  /** Nanoseconds by milliseconds, of the request in hand. */
  readonly #times = new Map<number, bigint>();
  #resourceMetrics = 0;
  #scope = 0;
  #metric = 0;
  #data = 0;

  constructor(resource: ResourceAttributes, temporality: Temporality) {
    this.#resource = resource;
    this.#temporality = temporality;
    this.#begin();
  }

  get length(): number {
    return this.#out.length;
  }

  #begin(): void {
    const out = this.#out;
    this.#resourceMetrics = out.begin(RESOURCE_METRICS);
    const resource = out.begin(RESOURCE.message);
    this.#attributes(RESOURCE.attributes, this.#resource);
    out.end(resource);
  }

  beginScope({ name, version }: { readonly name: string; readonly version: string }): void {
    const out = this.#out;
    this.#scope = out.begin(SCOPE_METRICS.message);
    const scope = out.begin(SCOPE_METRICS.scope);
    out.string(SCOPE_METRICS.name, name);
    if (version !== "") out.string(SCOPE_METRICS.version, version);
    out.end(scope);
  }

  endScope(): void {
    this.#out.end(this.#scope);
  }

  beginMetric({ name, description, unit, shape }: MetricHead): void {
    const out = this.#out;
    this.#metric = out.begin(METRIC.message);
    out.string(METRIC.name, name);
    if (description !== "") out.string(METRIC.description, description);
    if (unit !== "") out.string(METRIC.unit, unit);
    this.#data = out.begin(SHAPES[shape]);
    if (shape !== "gauge") {
      out.uint64(DATA.temporality, BigInt(TEMPORALITY[this.#temporality]));
    }
    if (shape === "sum") out.bool(DATA.isMonotonic, true);
  }

  endMetric(): void {
    this.#out.end(this.#data);
    this.#out.end(this.#metric);
  }

  point(point: Point): void {
    const out = this.#out;
    const start = out.begin(DATA.points);
    if (point.startMs !== undefined) out.fixed64(POINT.start, this.#nanoseconds(point.startMs));
    out.fixed64(POINT.time, this.#nanoseconds(point.timeMs));
    switch (point.kind) {
      case "number":
        this.#number(point);
        break;
      case "histogram":
        this.#histogram(point);
        break;
      case "exponential":
        this.#exponential(point);
    }
    out.end(start);
  }

  /** The points of a push have few times. */
  #nanoseconds(timeMs: number): bigint {
    let ns = this.#times.get(timeMs);
    if (ns === undefined) this.#times.set(timeMs, ns = nanoseconds(timeMs));
    return ns;
  }

  #number({ value, attributes }: NumberPoint): void {
    if (typeof value === "number") this.#out.double(NUMBER.double, value);
    else this.#out.fixed64(NUMBER.integer, value);
    this.#attributes(NUMBER.attributes, attributes);
  }

  #distribution({ count, sum }: HistogramPoint | ExponentialPoint): void {
    this.#out.fixed64(DISTRIBUTION.count, count);
    if (sum !== undefined) this.#out.double(DISTRIBUTION.sum, sum);
  }

  #histogram(point: HistogramPoint): void {
    this.#distribution(point);
    this.#out.packedFixed64(HISTOGRAM.counts, point.counts);
    this.#out.packedDouble(HISTOGRAM.bounds, point.upperBounds);
    this.#attributes(HISTOGRAM.attributes, point.attributes);
  }

  #exponential(point: ExponentialPoint): void {
    const out = this.#out;
    this.#distribution(point);
    out.sint32(EXPONENTIAL.scale, 0);
    out.fixed64(EXPONENTIAL.zeroCount, point.zeroCount);
    const positive = out.begin(EXPONENTIAL.positive);
    out.sint32(EXPONENTIAL.offset, point.offset);
    out.packedUint64(EXPONENTIAL.counts, point.counts);
    out.end(positive);
    this.#attributes(EXPONENTIAL.attributes, point.attributes);
  }

  #attributes(
    field: number,
    attributes: Iterable<readonly [name: string, value: AttributeValue]>,
  ): void {
    const out = this.#out;
    for (const [name, value] of attributes) {
      const pair = out.begin(field);
      out.string(KEY_VALUE.key, name);
      const wrapped = out.begin(KEY_VALUE.value);
      if (typeof value === "string") out.string(KEY_VALUE.string, value);
      else out.bool(KEY_VALUE.bool, value);
      out.end(wrapped);
      out.end(pair);
    }
  }

  take(): Uint8Array<ArrayBuffer> {
    this.#out.end(this.#resourceMetrics);
    const bytes = this.#out.take();
    this.#times.clear();
    this.#begin();
    return bytes;
  }
}
