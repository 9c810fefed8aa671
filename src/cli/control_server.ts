/** The Unix socket of `kmeter serve`. Whoever may connect may do what root may: the kernel lets in root only. */

import { withUmask } from "../../ffi/mod.ts";
import { KernelError, UsageError } from "../errors.ts";
import {
  type ControlReply,
  type ControlRequest,
  MAX_LINE_BYTES,
  readLines,
} from "./control_protocol.ts";
import { folderOf } from "./serve_plan.ts";

/** Connections at a time; more are closed at once. */
export const MAX_CONTROL_CONNECTIONS = 64;
/** What waits for a client that reads slowly; more is left out. */
export const MAX_PENDING_BYTES = 4 * MAX_LINE_BYTES;

/** How long a client may take to read its last replies. */
const GRACE_MS = 1000;

/** One client's connection, while its request is at work. */
export interface ControlSession {
  /** Sends, unless the client reads too slowly: then the reply is left out, and that is told. */
  send(reply: ControlReply): void;
  /** Aborted when the client is gone or the server closes. */
  readonly signal: AbortSignal;
}

/** Does what is asked. What it throws is the answer. Ends when there is nothing more to send. */
export type ControlHandler = (request: ControlRequest, session: ControlSession) => Promise<void>;

/** What a socket is for. */
export interface ControlDuties {
  readonly handle: ControlHandler;
  /** How an error is told to the client. */
  readonly describe: (error: unknown) => { message: string; hint?: string };
}

/** A socket that listens. Ownership: `close()` removes it. */
export class ControlServer {
  readonly path: string;
  readonly #listener: Deno.UnixListener;
  readonly #duties: ControlDuties;
  readonly #open = new Set<Session>();

  /** @throws UsageError if another server listens there, KernelError if the socket cannot be made. */
  static async open(
    path: string,
    duties: ControlDuties,
  ): Promise<ControlServer> {
    await removeStale(path);
    return new ControlServer(path, duties);
  }

  private constructor(
    path: string,
    duties: ControlDuties,
  ) {
    this.path = path;
    this.#duties = duties;
    this.#listener = listen(path);
    void this.#accept();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      if (this.#open.size >= MAX_CONTROL_CONNECTIONS) connection.close();
      else void this.#serve(new Session(connection));
    }
  }

  async #serve(session: Session): Promise<void> {
    this.#open.add(session);
    try {
      const request = await session.request();
      if (request !== undefined) await this.#duties.handle(request, session);
      session.send({ kind: "end" });
    } catch (error) {
      session.send({ kind: "error", ...this.#duties.describe(error) });
    } finally {
      this.#open.delete(session);
      await session.close();
    }
  }

  /** Ends all sessions; a client that does not read is not waited for. */
  async close(): Promise<void> {
    this.#listener.close();
    const ends = [...this.#open].map((session) => session.end());
    await Promise.race([
      Promise.all(ends),
      new Promise((resolve) => setTimeout(resolve, GRACE_MS)),
    ]);
    for (const session of this.#open) session.drop();
    try {
      Deno.removeSync(this.path);
    } catch {
      // Somebody has removed it already.
    }
  }
}

class Session implements ControlSession {
  readonly #connection: Deno.UnixConn;
  readonly #ending = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  #isGone = false;
  readonly #encoder = new TextEncoder();
  #pendingBytes = 0;
  #leftOut = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** The client's only line; undefined if it leaves without one. Then watches for its leaving. */
  async request(): Promise<ControlRequest | undefined> {
    const lines = readLines(this.#connection.readable);
    const { value, done } = await lines.next();
    if (done === true) return undefined;
    const drop = () => this.drop();
    void lines.next().then(drop, drop);
    try {
      // Only root can write here; what is wrong is told by whoever handles it.
      return JSON.parse(value);
    } catch {
      throw new UsageError("The request is not JSON");
    }
  }

  send(reply: ControlReply): void {
    if (this.#isGone) return;
    const isRow = reply.kind === "text";
    if (isRow && this.#pendingBytes > MAX_PENDING_BYTES) {
      this.#leftOut++;
      return;
    }
    if (this.#leftOut > 0) {
      const text = `${this.#leftOut} pieces left out: they came faster than they were read`;
      this.#leftOut = 0;
      this.#write({ kind: "notice", text });
    }
    this.#write(reply);
  }

  #write(reply: ControlReply): void {
    const bytes = this.#encoder.encode(`${JSON.stringify(reply)}\n`);
    this.#pendingBytes += bytes.length;
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) {
        at += await this.#connection.write(bytes.subarray(at));
      }
      this.#pendingBytes -= bytes.length;
    }).catch(() => this.drop());
  }

  /** Ends what is under way. Resolves when the client has been told. */
  end(): Promise<void> {
    this.#ending.abort();
    return this.#closed.promise;
  }

  /** The client is gone, or has to go. */
  drop(): void {
    this.#isGone = true;
    this.#ending.abort();
  }

  async close(): Promise<void> {
    await this.#writing;
    this.drop();
    this.#closed.resolve();
    try {
      this.#connection.close();
    } catch {
      // The client closed it.
    }
  }
}

/** A socket that nobody listens at was left by a server that was killed. */
async function removeStale(path: string): Promise<void> {
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) Deno.removeSync(path);
    return;
  }
  throw new UsageError(`Cannot listen at "${path}": another kmeter serve does`, {
    hint: "give this one a socket of its own: --socket PATH",
  });
}

/** The folder and the socket are root's alone from the first moment. */
function listen(path: string): Deno.UnixListener {
  try {
    return withUmask(0o077, () => {
      Deno.mkdirSync(folderOf(path) || ".", { recursive: true });
      return Deno.listen({ transport: "unix", path });
    });
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw new KernelError(`Cannot listen at "${path}": ${code ?? String(cause)}`, {
      call: "bind",
      errno: code === "EACCES" ? 13 : 1,
      hint: "give a path that can be written: --socket PATH; or none",
      cause,
    });
  }
}
