/** `ExportMetricsServiceRequest` as OTLP's JSON: integers of 64 bits are strings, enums are numbers. */

import {
  type AttributeValue,
  type MetricHead,
  nanoseconds,
  type Point,
  type RequestWriter,
  TEMPORALITY,
  type Temporality,
} from "./_points.ts";
import type { ResourceAttributes } from "./resource.ts";

export class JsonRequest implements RequestWriter {
  readonly #head: string;
  readonly #temporality: Temporality;
  #text: string;
  /** True where a list has just begun. */
  #isFirst = true;

  constructor(resource: ResourceAttributes, temporality: Temporality) {
    const attributes = JSON.stringify(jsonAttributes(resource));
    this.#head = `{"resourceMetrics":[{"resource":{"attributes":${attributes}},"scopeMetrics":[`;
    this.#temporality = temporality;
    this.#text = this.#head;
  }

  get length(): number {
    return this.#text.length;
  }

  beginScope({ name, version }: { readonly name: string; readonly version: string }): void {
    const scope = JSON.stringify({ name, ...(version !== "" && { version }) });
    this.#put(`{"scope":${scope},"metrics":[`);
    this.#isFirst = true;
  }

  endScope(): void {
    this.#text += "]}";
  }

  beginMetric({ name, description, unit, shape }: MetricHead): void {
    const facts = {
      ...(shape !== "gauge" && { aggregationTemporality: TEMPORALITY[this.#temporality] }),
      ...(shape === "sum" && { isMonotonic: true }),
    };
    const head = JSON.stringify({
      name,
      ...(description !== "" && { description }),
      ...(unit !== "" && { unit }),
    });
    const data = JSON.stringify({ ...facts, dataPoints: [] });
    this.#put(`${head.slice(0, -1)},"${shape}":${data.slice(0, -2)}`);
    this.#isFirst = true;
  }

  endMetric(): void {
    this.#text += "]}}";
  }

  point(point: Point): void {
    this.#put(JSON.stringify(jsonPoint(point)));
  }

  #put(item: string): void {
    this.#text += this.#isFirst ? item : `,${item}`;
    this.#isFirst = false;
  }

  take(): Uint8Array<ArrayBuffer> {
    const bytes = new TextEncoder().encode(`${this.#text}]}]}`);
    this.#text = this.#head;
    this.#isFirst = true;
    return bytes;
  }
}

function jsonPoint(point: Point): Record<string, unknown> {
  const base = {
    attributes: jsonAttributes(point.attributes),
    ...(point.startMs !== undefined && { startTimeUnixNano: String(nanoseconds(point.startMs)) }),
    timeUnixNano: String(nanoseconds(point.timeMs)),
  };
  if (point.kind === "number") {
    const { value } = point;
    return typeof value === "bigint"
      ? { ...base, asInt: String(value) }
      : { ...base, asDouble: jsonDouble(value) };
  }
  const distribution = {
    ...base,
    count: String(point.count),
    ...(point.sum !== undefined && { sum: jsonDouble(point.sum) }),
  };
  if (point.kind === "histogram") {
    return {
      ...distribution,
      bucketCounts: point.counts.map(String),
      explicitBounds: [...point.upperBounds],
    };
  }
  return {
    ...distribution,
    scale: 0,
    zeroCount: String(point.zeroCount),
    positive: { offset: point.offset, bucketCounts: point.counts.map(String) },
  };
}

function jsonAttributes(
  attributes: Iterable<readonly [name: string, value: AttributeValue]>,
): unknown[] {
  return Array.from(attributes, ([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { boolValue: value },
  }));
}

/** JSON has no NaN and no infinity. */
function jsonDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
