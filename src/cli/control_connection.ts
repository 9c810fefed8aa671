/** One client at the socket of `kmeter serve`. */

import { UsageError } from "../errors.ts";
import {
  type ControlReply,
  type ControlRequest,
  MAX_LINE_BYTES,
  readLines,
  splitText,
} from "./control_protocol.ts";
import { FULL_BYTES, PATIENCE_MS } from "./output_queue.ts";

/** What waits for a client that reads slowly; more text is left out, unless it is alone. */
export const MAX_PENDING_BYTES = 4 * MAX_LINE_BYTES;

/** Notices that go all the same: they tell, among others, what was left out. */
const MAX_NOTICES = 100;
const RETRY_MS = 10;

/** One client's connection, while its request is at work. */
export interface ControlSession {
  /** Sends. What a client reads too slowly is left out, and its lines are counted and told. */
  send(reply: ControlReply): void;
  /** True while the client does not take what was sent. */
  readonly isFull: boolean;
  /** Waits for room. @returns false if the client takes nothing. */
  room(): Promise<boolean>;
  /** Aborted when the client is gone or the server closes. */
  readonly signal: AbortSignal;
  /** Takes what the client says after its request. */
  onLine(listener: (value: unknown) => void): void;
}

/** Ownership: the connection is closed by `close()`. */
export class ControlConnection implements ControlSession {
  readonly #connection: Deno.UnixConn;
  readonly #ending = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  #isGone = false;
  #lineListener: (value: unknown) => void = () => {};
  readonly #encoder = new TextEncoder();
  #pendingBytes = 0;
  /** When the client last took something, or had nothing to take. */
  #lastTakenMs = 0;
  #linesLeftOut = 0;
  /** Since nothing waited. */
  #notices = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The client's first line; undefined if it leaves without one. Then watches for more, and for its leaving. */
  async request(): Promise<ControlRequest | undefined> {
    const lines = readLines(this.#connection.readable);
    const { value, done } = await lines.next();
    if (done === true) return undefined;
    void this.#listen(lines);
    try {
      // Only this user can write here; what is wrong is told by whoever handles it.
      return JSON.parse(value);
    } catch {
      throw new UsageError("The request is not JSON");
    }
  }

  async #listen(lines: AsyncIterable<string>): Promise<void> {
    try {
      for await (const line of lines) this.#lineListener(JSON.parse(line));
    } catch {
      // Whoever breaks off or sends no JSON has to go.
    }
    this.drop();
  }

  onLine(listener: (value: unknown) => void): void {
    this.#lineListener = listener;
  }

  send(reply: ControlReply): void {
    if (this.#isGone) return;
    const isText = reply.kind === "text" || reply.kind === "notice";
    if (isText && !this.#hasRoomFor(reply)) {
      this.#linesLeftOut += reply.text.split("\n").length - (reply.text.endsWith("\n") ? 1 : 0);
      return;
    }
    if (this.#linesLeftOut > 0) {
      const text = `${this.#linesLeftOut} lines left out: they came faster than they were read`;
      this.#linesLeftOut = 0;
      this.#write({ kind: "notice", text });
    }
    if (!isText) this.#write(reply);
    else for (const text of splitText(reply.text)) this.#write({ kind: reply.kind, text });
  }

  /** A table may be larger than all that may wait: it goes when nothing else waits. */
  #hasRoomFor({ kind, text }: { kind: "text" | "notice"; text: string }): boolean {
    if (this.#pendingBytes === 0) this.#notices = 0;
    if (kind === "notice") return this.#notices++ < MAX_NOTICES;
    return this.#pendingBytes === 0 || this.#pendingBytes + text.length <= MAX_PENDING_BYTES;
  }

  #write(reply: ControlReply): void {
    const bytes = this.#encoder.encode(`${JSON.stringify(reply)}\n`);
    if (this.#pendingBytes === 0) this.#lastTakenMs = performance.now();
    this.#pendingBytes += bytes.length;
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) {
        const written = await this.#connection.write(bytes.subarray(at));
        at += written;
        this.#pendingBytes -= written;
        this.#lastTakenMs = performance.now();
      }
    }).catch(() => this.drop());
  }

  get isFull(): boolean {
    return this.#pendingBytes >= FULL_BYTES && !this.#isGone;
  }

  async room(): Promise<boolean> {
    await this.#waitUntil(() => this.#isGone || this.#pendingBytes === 0);
    return !this.isFull;
  }

  async #waitUntil(isEnough: () => boolean): Promise<void> {
    while (!isEnough() && performance.now() < this.#lastTakenMs + PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Ends what is under way. Resolves when the client has been told. */
  end(): Promise<void> {
    this.#ending.abort();
    return this.#closed.promise;
  }

  /** The client is gone, or has to go. */
  drop(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#ending.abort();
    try {
      this.#connection.close();
    } catch {
      // Who reads to the end closes it.
    }
  }

  /** Waits for the client while it takes anything. */
  async close(): Promise<void> {
    await this.#waitUntil(() => this.#isGone || this.#pendingBytes === 0);
    this.drop();
    this.#closed.resolve();
  }
}
