/** Collectors of the test's own: they decode by the official definitions, and fail as they are told. */

import { gunzipSync } from "node:zlib";
import {
  type DecodedRequest,
  decodeJsonRequest,
  decodeRequest,
  type ReceivedPoint,
} from "./otlp_points.ts";
import type { CertificateFiles } from "./certificates.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { sleep } from "./kmeter_process.ts";

/** A request that was taken. */
export interface ReceivedRequest extends DecodedRequest {
  readonly headers: ReadonlyMap<string, string>;
}

/** PEM text of a server. */
export interface ServerPem {
  readonly cert: string;
  readonly key: string;
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

/** How calls are refused. */
export interface GrpcRefusal {
  readonly code: number;
  readonly details: string;
  /** google.rpc.Status. */
  readonly detailsBin?: Uint8Array;
}

/** Files of a server, and of the CA whose certificates its clients must have. */
export interface GrpcServerFiles extends CertificateFiles {
  readonly clientCa?: string;
}

/** What the collector prints. */
type GrpcEvent =
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "taken"; readonly body: string; readonly headers: [string, string][] }
  | { readonly kind: "refused" | "ordered" };

const GRPC_SCRIPT = `${CHECKOUT}/tests/e2e/grpc_receiver.py`;
/** What a gRPC collector needs. */
export const PYTHON_GRPC = "/usr/lib/python3/dist-packages/grpc";

/** OTLP/gRPC, on gRPC's own implementation in a process of its own. Ownership: `await using` kills it. */
export class GrpcReceiver implements AsyncDisposable {
  readonly received = new Received();
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reading: Promise<void>;
  readonly #scheme: string;
  readonly #port = Promise.withResolvers<number>();
  #ordered: () => void = () => {};
  port = 0;

  static async start(
    { port = 0, tls }: { port?: number; tls?: GrpcServerFiles } = {},
  ): Promise<GrpcReceiver> {
    const files = tls === undefined
      ? []
      : [tls.cert, tls.key, ...(tls.clientCa ? [tls.clientCa] : [])];
    const receiver = new GrpcReceiver([String(port), ...files]);
    receiver.port = await receiver.#port.promise;
    return receiver;
  }

  private constructor(args: readonly string[]) {
    this.#scheme = args.length > 1 ? "https" : "http";
    this.#child = new Deno.Command("/usr/bin/python3", {
      args: [GRPC_SCRIPT, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    const lines = this.#child.stdout.pipeThrough(new TextDecoderStream());
    let rest = "";
    for await (const text of lines) {
      const [...whole] = (rest + text).split("\n");
      rest = whole.pop() ?? "";
      for (const line of whole) this.#take(JSON.parse(line));
    }
    this.#port.reject(new Error(`${GRPC_SCRIPT} ended`));
  }

  #take(event: GrpcEvent): void {
    switch (event.kind) {
      case "port":
        return this.#port.resolve(event.port);
      case "ordered":
        return this.#ordered();
      case "refused":
        this.received.attempts++;
        return;
      case "taken":
        this.received.attempts++;
        this.received.requests.push({
          ...decodeRequest(Uint8Array.fromBase64(event.body)),
          headers: new Map(event.headers),
        });
    }
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** Refuses the next calls, all of them unless `times` is given. */
  refuse({ detailsBin, ...refusal }: GrpcRefusal, times = 1e9): Promise<void> {
    return this.#order({ ...refusal, detailsBin: detailsBin?.toBase64(), times });
  }

  /** Takes calls again, and answers them so. */
  answer(bytes: Uint8Array = new Uint8Array(0)): Promise<void> {
    return this.#order({ answer: bytes.toBase64() });
  }

  async #order(order: unknown): Promise<void> {
    const done = new Promise<void>((resolve) => this.#ordered = resolve);
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
    await done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await Promise.all([this.#child.status, this.#reading, this.#input.abort().catch(() => {})]);
  }
}
