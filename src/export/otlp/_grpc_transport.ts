/** OTLP by gRPC. */

import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  credentials,
  logVerbosity,
  Metadata,
  type ServiceError,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import { parseRetryDelayMs, parseTaken } from "./_answers.ts";
import type { Delivery, Transport } from "./_transport.ts";
import type { ExporterOptions } from "./exporter_options.ts";

const METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
/** Codes that OTLP calls retryable; the last one only if the collector says when. */
const RETRYABLE: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);
/** gRPC waits up to two minutes before it connects again; the queue has its own pauses. */
const RECONNECT = {
  "grpc.initial_reconnect_backoff_ms": 500,
  "grpc.max_reconnect_backoff_ms": 5000,
};

/** Calls `MetricsService.Export`. Throws: Error if a certificate or key cannot be used. */
export class GrpcTransport implements Transport {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor({ url, headers, compression, tls }: ExporterOptions, agent: string) {
    // It would write to the terminal itself.
    setLogVerbosity(logVerbosity.NONE);
    for (const [name, value] of headers) this.#metadata.add(name, value);
    const { protocol, host } = new URL(url);
    const options: ChannelOptions = {
      ...RECONNECT,
      "grpc.primary_user_agent": agent,
      "grpc.default_compression_algorithm": compression === "gzip"
        ? compressionAlgorithms.gzip
        : compressionAlgorithms.identity,
    };
    const isTls = protocol === "https:";
    this.#client = new Client(
      withPort(host, isTls),
      isTls ? tlsCredentials(tls) : credentials.createInsecure(),
      options,
    );
  }

  /** Compressed as it is sent. */
  pack(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return body;
  }

  send(packed: Uint8Array<ArrayBuffer>, timeoutMs: number): Promise<Delivery> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        METHOD,
        (body: Uint8Array<ArrayBuffer>) => asBuffer(body),
        (answer: Uint8Array) => answer,
        packed,
        this.#metadata,
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, answer?: Uint8Array) => {
          resolve(error === null ? parseTaken(answer ?? new Uint8Array(0), false) : failure(error));
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** A URL leaves out the port that its scheme has. */
function withPort(host: string, isTls: boolean): string {
  return /:\d+$/.test(host) ? host : `${host}:${isTls ? 443 : 80}`;
}

function tlsCredentials({ ca, cert, key }: ExporterOptions["tls"]): ChannelCredentials {
  const pem = (text: string | undefined) =>
    text === undefined ? null : asBuffer(new TextEncoder().encode(text));
  return credentials.createSsl(pem(ca), pem(key), pem(cert));
}

type NodeBuffer = NonNullable<Parameters<typeof credentials.createSsl>[0]>;

function asBuffer(bytes: Uint8Array<ArrayBuffer>): NodeBuffer {
  const { Buffer } = globalThis as unknown as {
    Buffer: { from(bytes: ArrayBuffer, offset: number, length: number): NodeBuffer };
  };
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function failure({ code, details, metadata }: ServiceError): Delivery {
  const reason = status[code] ?? String(code);
  const message = `${reason}${details && `: ${details.replace(/\s+/g, " ")}`}`;
  const [more] = metadata.get("grpc-status-details-bin");
  const waitMs = more instanceof Uint8Array ? parseRetryDelayMs(more) : undefined;
  const mayRetry = RETRYABLE.has(code) ||
    (code === status.RESOURCE_EXHAUSTED && waitMs !== undefined);
  return mayRetry
    ? { kind: "later", reason, message, waitMs }
    : { kind: "refused", reason, message };
}
