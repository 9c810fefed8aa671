/** Makes as many requests of a push as its size asks for. */

import type { MetricHead, Point, RequestWriter } from "./_points.ts";

/** Collectors take 4 MiB by gRPC unless told otherwise. */
const MAX_REQUEST_BYTES = 1024 * 1024;

interface Scope {
  readonly name: string;
  readonly version: string;
}

/** Takes points one by one. Scopes and metrics without points leave nothing. */
export class RequestBatches {
  readonly #writer: RequestWriter;
  readonly #onRequest: (body: Uint8Array<ArrayBuffer>, points: number) => void;
  readonly #maxBytes: number;
  #scope: Scope | undefined;
  #metric: MetricHead | undefined;
  #openScope: Scope | undefined;
  #openMetric: MetricHead | undefined;
  #points = 0;

  constructor(
    writer: RequestWriter,
    options: {
      readonly onRequest: (body: Uint8Array<ArrayBuffer>, points: number) => void;
      readonly maxBytes?: number;
    },
  ) {
    this.#writer = writer;
    this.#onRequest = options.onRequest;
    this.#maxBytes = options.maxBytes ?? MAX_REQUEST_BYTES;
  }

  /** What follows belongs to this scope. */
  scope(scope: Scope): void {
    this.#scope = scope;
    this.#metric = undefined;
  }

  /** What follows belongs to this metric. */
  metric(metric: MetricHead): void {
    this.#metric = metric;
  }

  point(point: Point): void {
    this.#open();
    this.#writer.point(point);
    this.#points++;
    if (this.#writer.length >= this.#maxBytes) this.end();
  }

  #open(): void {
    if (this.#scope === undefined || this.#metric === undefined) {
      throw new Error("BUG: a point without scope and metric");
    }
    if (this.#openScope !== this.#scope) {
      this.#close();
      this.#writer.beginScope(this.#scope);
      this.#openScope = this.#scope;
    }
    if (this.#openMetric === this.#metric) return;
    if (this.#openMetric !== undefined) this.#writer.endMetric();
    this.#writer.beginMetric(this.#metric);
    this.#openMetric = this.#metric;
  }

  #close(): void {
    if (this.#openMetric !== undefined) this.#writer.endMetric();
    if (this.#openScope !== undefined) this.#writer.endScope();
    this.#openMetric = undefined;
    this.#openScope = undefined;
  }

  /** Hands on what there is. */
  end(): void {
    if (this.#points === 0) return;
    this.#close();
    this.#onRequest(this.#writer.take(), this.#points);
    this.#points = 0;
  }
}
