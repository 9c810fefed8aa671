/** Collectors of the test's own: they decode by the official definitions, and fail as they are told. */

import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import {
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import {
  type DecodedRequest,
  decodeJsonRequest,
  decodeRequest,
  type ReceivedPoint,
} from "./otlp_points.ts";
import { sleep } from "./kmeter_process.ts";

/** A request that was taken. */
export interface ReceivedRequest extends DecodedRequest {
  readonly headers: ReadonlyMap<string, string>;
}

/** PEM text of a server. */
export interface ServerPem {
  readonly cert: string;
  readonly key: string;
  /** Clients must have a certificate of it. */
  readonly clientCa?: string;
}

/** Requests taken so far, whatever brought them. */
export class Received {
  readonly requests: ReceivedRequest[] = [];
  /** Requests that came, those that were not taken included. */
  attempts = 0;

  get points(): readonly ReceivedPoint[] {
    return this.requests.flatMap(({ points }) => points);
  }

  /** Points of one metric. */
  pointsOf(metric: string): ReceivedPoint[] {
    return this.points.filter((point) => point.metric === metric);
  }

  /** Waits until it is as wanted. Throws: Error with what there is. */
  async until(
    isEnough: (received: Received) => boolean,
    { timeoutMs = 20_000 }: { timeoutMs?: number } = {},
  ): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!isEnough(this)) {
      if (performance.now() > deadlineMs) {
        const seen = this.points.map(({ metric, attributes, value }) =>
          `${metric} ${JSON.stringify(attributes)} ${value}`
        );
        throw new Error(`${this.attempts} attempts, never as wanted:\n${seen.join("\n")}`);
      }
      await sleep(20);
    }
  }
}

/** Answers a request that is not taken; undefined to take it. */
export type HttpRefusal = (attempt: number) => Response | Promise<Response> | undefined;

/** OTLP/HTTP. Ownership: `await using` stops it. */
export class HttpReceiver implements AsyncDisposable {
  readonly received = new Received();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #scheme: string;
  refuse: HttpRefusal = () => undefined;
  /** Body of the answers to requests that are taken. */
  answer: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor({ port = 0, tls }: { port?: number; tls?: ServerPem } = {}) {
    this.#scheme = tls === undefined ? "http" : "https";
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {}, ...tls },
      (request) => this.#take(request),
    );
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#server.addr.port;
  }

  async #take(request: Request): Promise<Response> {
    const body = new Uint8Array(await request.arrayBuffer());
    const refusal = await this.refuse(++this.received.attempts);
    if (refusal !== undefined) return refusal;
    const headers = new Map(request.headers);
    headers.set(":path", new URL(request.url).pathname);
    const bytes = headers.get("content-encoding") === "gzip" ? gunzipSync(body) : body;
    const isJson = headers.get("content-type") === "application/json";
    const decoded = isJson
      ? decodeJsonRequest(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
      : decodeRequest(bytes);
    this.received.requests.push({ ...decoded, headers });
    const contentType = isJson ? "application/json" : "application/x-protobuf";
    return new Response(isJson ? "{}" : this.answer, { headers: { "content-type": contentType } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Status of a call that is not taken; undefined to take it. */
export type GrpcRefusal = (
  attempt: number,
) => { code: number; details: string; detailsBin?: Uint8Array } | undefined;

const SERVICE: ServiceDefinition = {
  Export: {
    path: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

/** OTLP/gRPC. Ownership: `await using` stops it. */
export class GrpcReceiver implements AsyncDisposable {
  readonly received = new Received();
  refuse: GrpcRefusal = () => undefined;
  answer: Uint8Array = new Uint8Array(0);
  readonly #server = new Server();
  #port = 0;
  readonly #scheme: string;

  static async start(options: { port?: number; tls?: ServerPem } = {}): Promise<GrpcReceiver> {
    const receiver = new GrpcReceiver(options.tls);
    await receiver.#bind(options);
    return receiver;
  }

  private constructor(tls: ServerPem | undefined) {
    this.#scheme = tls === undefined ? "http" : "https";
    this.#server.addService(SERVICE, {
      Export: (
        call: ServerUnaryCall<Uint8Array, Uint8Array>,
        answer: sendUnaryData<Uint8Array>,
      ) => this.#take(call, answer),
    });
  }

  #bind({ port = 0, tls }: { port?: number; tls?: ServerPem }): Promise<void> {
    const credentials = tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
        tls.clientCa === undefined ? null : Buffer.from(tls.clientCa),
        [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }],
        tls.clientCa !== undefined,
      );
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => {
        if (error !== null) return reject(error);
        this.#port = bound;
        resolve();
      });
    });
  }

  #take(
    { request, metadata }: ServerUnaryCall<Uint8Array, Uint8Array>,
    answer: sendUnaryData<Uint8Array>,
  ): void {
    const refusal = this.refuse(++this.received.attempts);
    if (refusal !== undefined) {
      const more = new Metadata();
      if (refusal.detailsBin !== undefined) {
        more.set("grpc-status-details-bin", Buffer.from(refusal.detailsBin));
      }
      return answer({ ...refusal, metadata: more });
    }
    const headers = new Map(
      Object.entries(metadata.getMap()).map(([name, value]) => [name, String(value)]),
    );
    try {
      this.received.requests.push({ ...decodeRequest(request), headers });
      answer(null, this.answer);
    } catch (error) {
      answer({ code: status.INTERNAL, details: String(error) });
    }
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    // A client keeps its connection: nothing to wait for.
    this.#server.forceShutdown();
    return Promise.resolve();
  }
}
