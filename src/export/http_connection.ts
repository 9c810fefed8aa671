/**
 * HTTP/1.1 for GET and HEAD, over any stream of bytes. Deno's own server has no limits, and ends the
 * process when descriptors run out; Node's needs 9 MB more.
 */

import type { Connection } from "./connections.ts";
import { findHeadEnd, parseHead, type RequestHead } from "./_request_head.ts";
import type { MetricsHandler } from "./metrics_handler.ts";

/** A connection's bytes. All calls fail once it is closed. */
export interface ByteStream {
  readonly peer: Deno.NetAddr;
  /** Valid until the next call; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Writes all. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  closeWrite(): Promise<void>;
  /** Idempotent. */
  close(): void;
}

/** What serves a connection. */
export interface HttpOptions {
  readonly connection: Connection;
  readonly handle: MetricsHandler["handle"];
  readonly onError: (error: unknown) => void;
  /** False if the next request needs a new connection. */
  readonly mayContinue: () => boolean;
}

/** More is refused. */
export const MAX_HEAD_BYTES = 16 * 1024;
/** What a client still sends is thrown away for so long: to close at once would throw away the answer. */
const LINGER_MS = 1000;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** Answers one request after the other, but no pipeline, until either side closes. Never rejects. */
export async function serveHttp(stream: ByteStream, options: HttpOptions): Promise<void> {
  const { connection, mayContinue } = options;
  const input = new Input(stream, connection);
  try {
    for (;;) {
      const head = await input.readHead();
      if (head === undefined) break;
      connection.beginAnswer();
      const isRefused = typeof head === "number";
      // No scraper pipelines, and who does would have the thread to itself.
      const staysOpen = !isRefused && head.mayContinue && input.isEmpty;
      const response = isRefused ? plain(head) : await answer(head, stream.peer, options);
      const framing = {
        isChunked: !isRefused && !head.isHttp10,
        isHead: !isRefused && head.method === "HEAD",
        staysOpen: staysOpen && mayContinue(),
      };
      await send(response, { stream, connection, framing });
      if (!framing.staysOpen) {
        await linger(stream, connection);
        break;
      }
      connection.endAnswer();
    }
  } catch {
    // The client has gone, the page was cut off, or time was over. Who cut it has told why.
  } finally {
    connection.end();
    stream.close();
  }
}

/** What is read and not yet used. */
class Input {
  readonly #stream: ByteStream;
  readonly #connection: Connection;
  #bytes: Uint8Array = new Uint8Array();

  constructor(stream: ByteStream, connection: Connection) {
    this.#stream = stream;
    this.#connection = connection;
  }

  /** The next request; the status for what is none; undefined at the end. */
  async readHead(): Promise<RequestHead | 400 | 431 | 505 | undefined> {
    for (let searched = 0, hasBegun = false;;) {
      if (!hasBegun) this.#skipEmptyLines();
      const end = findHeadEnd(this.#bytes, searched);
      if (end > MAX_HEAD_BYTES) return 431;
      if (end >= 0) {
        const text = latin1(this.#bytes.subarray(0, end));
        this.#bytes = this.#bytes.slice(end);
        return parseHead(text);
      }
      if (this.#bytes.length > MAX_HEAD_BYTES) return 431;
      if (!hasBegun && this.#bytes.length > 0) {
        // TLS, most likely: it would wait for an answer.
        if (!/[!-~]/.test(String.fromCharCode(this.#bytes[0]))) return 400;
        hasBegun = true;
        this.#connection.beginRequest();
      }
      searched = this.#bytes.length;
      const piece = await this.#stream.read();
      if (piece === undefined) return undefined;
      this.#bytes = joined(this.#bytes, piece);
    }
  }

  get isEmpty(): boolean {
    this.#skipEmptyLines();
    return this.#bytes.length === 0;
  }

  #skipEmptyLines(): void {
    const start = this.#bytes.findIndex((byte) => byte !== 10 && byte !== 13);
    this.#bytes = this.#bytes.subarray(start < 0 ? this.#bytes.length : start);
  }
}

async function answer(
  head: RequestHead,
  peer: Deno.NetAddr,
  { handle, onError }: HttpOptions,
): Promise<Response> {
  try {
    return await handle(head, { remoteAddr: peer });
  } catch (error) {
    onError(error);
    return plain(500);
  }
}

function plain(status: number): Response {
  return new Response(`${REASONS[status].toLowerCase()}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}

interface Framing {
  readonly isChunked: boolean;
  readonly isHead: boolean;
  readonly staysOpen: boolean;
}

/** Writes an answer as the client reads it. Throws: if it does not go out whole. */
async function send(
  response: Response,
  { stream, connection, framing }: {
    readonly stream: ByteStream;
    readonly connection: Connection;
    readonly framing: Framing;
  },
): Promise<void> {
  const { isChunked } = framing;
  const reader = response.body?.getReader();
  // A page is cut off while its client does not read, too: this ends the write that waits.
  reader?.closed.catch(() => connection.close());
  let pending = headOf(response, framing);
  try {
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) break;
      if (isChunked) pending += `${piece.value.length.toString(16)}\r\n`;
      await writeBoth(stream, pending, piece.value);
      connection.advance();
      pending = isChunked ? "\r\n" : "";
    }
    const end = isChunked && reader !== undefined ? `${pending}0\r\n\r\n` : pending;
    if (end !== "") await stream.write(bytesOf(end));
  } finally {
    // Tells the page that nobody reads it, if it has not ended.
    reader?.cancel().catch(() => {});
  }
}

/** A copy saves a packet if it is a small one. */
const MAX_JOINED_BYTES = 16 * 1024;

async function writeBoth(
  stream: ByteStream,
  before: string,
  piece: Uint8Array<ArrayBuffer>,
): Promise<void> {
  if (piece.length <= MAX_JOINED_BYTES) {
    await stream.write(joined(bytesOf(before), piece));
  } else {
    if (before !== "") await stream.write(bytesOf(before));
    await stream.write(piece);
  }
}

function headOf(response: Response, { isChunked, isHead, staysOpen }: Framing): string {
  const { status, headers, body } = response;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    `date: ${new Date().toUTCString()}`,
  ];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (body !== null && isChunked) lines.push("transfer-encoding: chunked");
  else if (body === null && !isHead) lines.push("content-length: 0");
  if (!staysOpen) lines.push("connection: close");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Ends the answer, and throws away what the client still says. */
async function linger(stream: ByteStream, connection: Connection): Promise<void> {
  connection.endAnswer();
  connection.closeAfter(LINGER_MS);
  await stream.closeWrite();
  while (await stream.read() !== undefined);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** One character per byte, as HTTP has it. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
