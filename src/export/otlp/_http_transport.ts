/** OTLP by HTTP. */

import { parseRetryAfterMs, parseStatusMessage, parseTaken, shortText } from "./_answers.ts";
import {
  createClient,
  type Delivery,
  gzip,
  MAX_ANSWER_BYTES,
  type Transport,
} from "./_transport.ts";
import type { ExporterOptions } from "./exporter_options.ts";

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** POSTs requests. Throws: Error if a certificate or key cannot be used. */
export class HttpTransport implements Transport {
  readonly #url: string;
  readonly #headers: Headers;
  readonly #isGzip: boolean;
  readonly #client: Deno.HttpClient;

  constructor({ url, headers, compression, protocol, tls }: ExporterOptions, agent: string) {
    this.#url = url;
    this.#isGzip = compression === "gzip";
    this.#headers = new Headers([
      ["user-agent", agent],
      ...headers.map(([name, value]): [string, string] => [name, value]),
      ["content-type", protocol === "http/json" ? "application/json" : "application/x-protobuf"],
      ...(this.#isGzip ? [["content-encoding", "gzip"] as [string, string]] : []),
    ]);
    this.#client = createClient(tls);
  }

  pack(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return this.#isGzip ? gzip(body) : body;
  }

  async send(packed: Uint8Array<ArrayBuffer>, timeoutMs: number): Promise<Delivery> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        body: packed,
        headers: this.#headers,
        // A redirect would take the headers elsewhere.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
        client: this.#client,
      });
      return deliveryOf(response, await readAnswer(response));
    } catch (error) {
      const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
      const reason = isTimeout ? "timeout" : "connection";
      return {
        kind: "later",
        reason,
        message: isTimeout ? `no answer in ${timeoutMs / 1000} s` : shortText(causeOf(error)),
      };
    }
  }

  close(): void {
    this.#client.close();
  }
}

function deliveryOf(response: Response, body: Uint8Array): Delivery {
  const { status, statusText, headers } = response;
  const contentType = headers.get("content-type") ?? "";
  if (status >= 200 && status < 300) {
    return parseTaken(body, contentType.startsWith("application/json"));
  }
  const text = parseStatusMessage(body, contentType);
  const message = `status ${status}${statusText && ` ${statusText}`}${text && `: ${text}`}`;
  if (!RETRYABLE.has(status)) return { kind: "refused", reason: String(status), message };
  const waitMs = parseRetryAfterMs(headers.get("retry-after"), Date.now());
  return { kind: "later", reason: String(status), message, waitMs };
}

async function readAnswer(response: Response): Promise<Uint8Array> {
  const bytes = new Uint8Array(MAX_ANSWER_BYTES);
  let length = 0;
  for await (const piece of response.body ?? []) {
    const room = piece.subarray(0, MAX_ANSWER_BYTES - length);
    bytes.set(room, length);
    length += room.length;
    // Leaving the loop cancels the body.
    if (length === MAX_ANSWER_BYTES) break;
  }
  return bytes.subarray(0, length);
}

/** The innermost cause tells what happened; the outer ones repeat the URL. */
function causeOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) {
    innermost = innermost.cause;
  }
  const message = innermost instanceof Error ? innermost.message : String(innermost);
  // It is told already, and its query may be a secret.
  return message.replace(/ for url \(\S*\)/, "");
}
