/**
 * The Unix socket of `kmeter serve`. Whoever may connect can start any gadget with the rights of the server: the
 * kernel lets in the user who runs it, and root.
 */

import { systemError, withUmask } from "../../ffi/mod.ts";
import { UsageError } from "../errors.ts";
import { folderOf } from "../export/mod.ts";
import { type ControlRequest, DEFAULT_SOCKET } from "./control_protocol.ts";
import { ControlConnection, type ControlSession } from "./control_connection.ts";

/** Connections at a time; more are refused. */
export const MAX_CONTROL_CONNECTIONS = 64;

/** How long a client may take to read its last replies. */
const GRACE_MS = 1000;
/** After a connection that could not be taken: usually there are no descriptors left. */
const ACCEPT_AGAIN_MS = 100;

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
  readonly #open = new Set<ControlConnection>();
  #isClosed = false;

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
    while (!this.#isClosed) {
      try {
        const connection = new ControlConnection(await this.#listener.accept());
        if (this.#open.size < MAX_CONTROL_CONNECTIONS) void this.#serve(connection);
        else void refuse(connection);
      } catch {
        if (this.#isClosed) return;
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  }

  async #serve(session: ControlConnection): Promise<void> {
    this.#open.add(session);
    try {
      const request = await session.request();
      if (request !== undefined) await this.#duties.handle(request, session);
      session.send({ kind: "end" });
    } catch (error) {
      session.send({ kind: "error", ...this.#duties.describe(error) });
    } finally {
      await session.close();
      this.#open.delete(session);
    }
  }

  /** Ends all sessions; a client that does not read is not waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
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

async function refuse(connection: ControlConnection): Promise<void> {
  connection.send({
    kind: "error",
    message: `kmeter serve talks to ${MAX_CONTROL_CONNECTIONS} commands at a time, and does`,
    hint: "end one of them, such as a kmeter attach",
  });
  await connection.close();
}

/** A socket that nobody listens at was left by a server that was killed. What is no socket is somebody's file. */
async function removeStale(path: string): Promise<void> {
  const found = lookAt(path);
  if (found === undefined) return;
  if (!found.isSocket) {
    const what = found.isDirectory ? "folder" : found.isSymlink ? "symbolic link" : "file";
    throw new UsageError(`Cannot listen at "${path}": there is a ${what} that is no socket`, {
      hint: "give a path where nothing is yet: --socket PATH",
    });
  }
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

/** Undefined if there is nothing, or it cannot be seen: then listening fails by that. */
function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

/** The folder and the socket are this user's alone from the first moment. */
function listen(path: string): Deno.UnixListener {
  try {
    return withUmask(0o077, () => {
      // The usual one is in a folder that the system makes anew at each start.
      if (path === DEFAULT_SOCKET) Deno.mkdirSync(folderOf(path), { recursive: true });
      return Deno.listen({ transport: "unix", path });
    });
  } catch (cause) {
    throw systemError(cause, {
      what: `Cannot listen at "${path}"`,
      call: "bind",
      hint: "give a path that can be written: --socket PATH; or none",
    });
  }
}
