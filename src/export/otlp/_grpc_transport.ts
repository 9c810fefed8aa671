/**
 * OTLP by gRPC: one call that takes one message, which is a POST by HTTP/2 with a status behind the answer.
 * That is little enough to write down; @grpc/grpc-js would bring 27 packages. Tests have gRPC's own implementation on the other side.
 */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { parseRetryDelayMs, parseTaken, shortText } from "./_answers.ts";
import {
  createClient,
  type Delivery,
  gzip,
  MAX_ANSWER_BYTES,
  type Transport,
} from "./_transport.ts";
import type { ExporterOptions } from "./exporter_options.ts";

const PATH = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
/** Before a message: whether it is compressed, and its length, big-endian. */
const PREFIX_BYTES = 5;
/** Names of gRPC's status codes, by number. */
const CODES = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"],
  ...["ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"],
  ...["ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
  "UNAUTHENTICATED",
];
/** Codes that OTLP calls retryable. */
const RETRYABLE: ReadonlySet<string> = new Set(
  ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"],
);
/** What gRPC makes of HTTP's statuses where its own is missing: a proxy has answered. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  400: "INTERNAL",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "UNIMPLEMENTED",
  429: "UNAVAILABLE",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "UNAVAILABLE",
};

/** Calls `MetricsService.Export`. Throws: Error if a certificate or key cannot be used. */
export class GrpcTransport implements Transport {
  readonly #url: string;
  readonly #tls: ExporterOptions["tls"];
  readonly #isGzip: boolean;
  readonly #headers: Readonly<Record<string, string | string[]>>;
  /** Made for the first request, and again when it has ended or failed. */
  #session: ClientHttp2Session | undefined;
  /** Why it failed: streams are not always told. */
  #sessionError: Error | undefined;

  constructor({ url, headers, compression, tls }: ExporterOptions, agent: string) {
    // node:http2 would tell only at the first request that a certificate or key cannot be used.
    createClient(tls).close();
    this.#url = url;
    this.#tls = tls;
    this.#isGzip = compression === "gzip";
    const grouped: Record<string, string[]> = {};
    for (const [name, value] of headers) (grouped[name] ??= []).push(value);
    this.#headers = {
      "user-agent": agent,
      ...grouped,
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: PATH,
      "content-type": "application/grpc",
      te: "trailers",
      ...(this.#isGzip && { "grpc-encoding": "gzip" }),
    };
  }

  pack(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const message = this.#isGzip ? gzip(body) : body;
    const packed = new Uint8Array(PREFIX_BYTES + message.length);
    packed[0] = this.#isGzip ? 1 : 0;
    new DataView(packed.buffer).setUint32(1, message.length);
    packed.set(message, PREFIX_BYTES);
    return packed;
  }

  async send(packed: Uint8Array<ArrayBuffer>, timeoutMs: number): Promise<Delivery> {
    const call = new Call(this.#request(timeoutMs));
    const timer = setTimeout(() => call.timeOut(timeoutMs), timeoutMs);
    call.write(packed);
    const delivery = await call.delivery;
    clearTimeout(timer);
    if (delivery.kind !== "later") return delivery;
    // What is wrong may be the connection.
    this.#session?.destroy();
    const cause = this.#sessionError?.message;
    return call.hasStatus || cause === undefined
      ? delivery
      : { ...delivery, message: shortText(cause) };
  }

  #request(timeoutMs: number): ClientHttp2Stream {
    let session = this.#session;
    if (session === undefined || session.closed || session.destroyed) {
      this.#sessionError = undefined;
      session = connect(this.#url, this.#tls);
      session.on("error", (error: Error) => this.#sessionError = error);
      this.#session = session;
    }
    // At most eight digits.
    const timeout = `${Math.min(Math.ceil(timeoutMs), 99_999_999)}m`;
    return session.request({ ...this.#headers, "grpc-timeout": timeout });
  }

  close(): void {
    this.#session?.destroy();
  }
}

/** One call until its end. */
class Call {
  readonly #stream: ClientHttp2Stream;
  readonly #ended = Promise.withResolvers<Delivery>();
  readonly #answer = new Uint8Array(MAX_ANSWER_BYTES);
  #answerLength = 0;
  #headers: IncomingHttpHeaders = {};
  #trailers: IncomingHttpHeaders = {};

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.on("response", (headers) => this.#headers = headers);
    stream.on("trailers", (trailers) => this.#trailers = trailers);
    stream.on("data", (piece: Uint8Array) => this.#read(piece));
    stream.on("error", (error) => this.#failConnection(error.message));
    stream.on("close", () => this.#settle());
  }

  get delivery(): Promise<Delivery> {
    return this.#ended.promise;
  }

  /** True once the collector has said what has become of the call. */
  get hasStatus(): boolean {
    return this.#header("grpc-status") !== undefined;
  }

  write(packed: Uint8Array): void {
    this.#stream.end(packed);
  }

  timeOut(timeoutMs: number): void {
    this.#ended.resolve({
      kind: "later",
      reason: "timeout",
      message: `no answer in ${timeoutMs / 1000} s`,
    });
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #read(piece: Uint8Array): void {
    const room = piece.subarray(0, MAX_ANSWER_BYTES - this.#answerLength);
    this.#answer.set(room, this.#answerLength);
    this.#answerLength += room.length;
  }

  #failConnection(message: string): void {
    this.#ended.resolve({ kind: "later", reason: "connection", message: shortText(message) });
  }

  /** A status without an answer comes in the headers. */
  #header(name: string): string | undefined {
    const value = this.#trailers[name] ?? this.#headers[name];
    return value === undefined ? undefined : String(value);
  }

  #settle(): void {
    const status = Number(this.#headers[":status"]);
    const code = this.#header("grpc-status");
    if (Number.isNaN(status)) return this.#failConnection("the connection was closed");
    const name = code === undefined
      ? CODE_OF_STATUS[status] ?? "UNKNOWN"
      : CODES[Number(code)] ?? "UNKNOWN";
    if (name === "OK") return this.#ended.resolve(this.#taken());
    const text = code === undefined ? `HTTP status ${status}` : this.#statusMessage();
    const message = `${name}${text && `: ${text}`}`;
    const details = this.#header("grpc-status-details-bin");
    const waitMs = details === undefined ? undefined : parseRetryDelayMs(decodeBase64(details));
    // A collector that has too much to do says when to come again, else it means a limit.
    const mayRetry = RETRYABLE.has(name) ||
      (name === "RESOURCE_EXHAUSTED" && waitMs !== undefined);
    this.#ended.resolve(
      mayRetry
        ? { kind: "later", reason: name, message, waitMs }
        : { kind: "refused", reason: name, message },
    );
  }

  #taken(): Delivery {
    const answer = this.#answer.subarray(0, this.#answerLength);
    // Compressed ones were not asked for.
    const message = answer[0] === 0 ? answer.subarray(PREFIX_BYTES) : new Uint8Array(0);
    return parseTaken(message, false);
  }

  #statusMessage(): string {
    const text = this.#header("grpc-message") ?? "";
    try {
      return shortText(decodeURIComponent(text));
    } catch {
      // Not percent-encoded as it should be: good enough to read.
      return shortText(text);
    }
  }
}

/** gRPC leaves out the padding. What is no base64 has no details. */
function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return new Uint8Array(0);
  }
}
