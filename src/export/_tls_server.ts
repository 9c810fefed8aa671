/** HTTPS by Node's server: Deno's own can neither ask for client certificates nor change its certificate. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { bindError } from "./_bind_error.ts";
import type { ListenAddress } from "./listen_address.ts";
import type { RequestInfo } from "./metrics_handler.ts";
import type { TlsMaterial } from "./web_config_file.ts";

/** What a TLS server does. */
export interface TlsServerOptions extends ListenAddress {
  /** Asked before each connection: a new object is a new configuration. */
  readonly material: () => TlsMaterial;
  readonly handle: (request: Request, info: RequestInfo) => Promise<Response>;
  readonly onError: (error: unknown) => void;
}

/** For more, the one that has asked nothing for the longest time makes room. */
const MAX_CONNECTIONS = 256;
/** From the connection to the end of the first request's headers. */
const FIRST_REQUEST_MS = 10_000;
/** Longer than the usual interval between scrapes, so that a scraper shakes hands once. */
const KEEP_ALIVE_MS = 150_000;

/** A connection, under the address and port of its other end: Node has two sockets for it. */
interface Connection {
  readonly socket: Socket;
  requestCount: number;
  /** Ends it, while it has no request. Node's own timeouts do nothing in Deno 2.9. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Takes connections, and gives each to a server with the configuration of that time. */
export class TlsServer {
  readonly addr: ListenAddress;
  readonly #options: TlsServerOptions;
  readonly #listener: import("node:net").Server;
  /** Who has been idle for the longest time stands first. */
  readonly #connections = new Map<string, Connection>();
  readonly #underWay = new Set<Promise<void>>();
  #material: TlsMaterial;
  #server: HttpsServer;

  /** Starts listening. Throws: as `startMetricsServer`. */
  static async listen(options: TlsServerOptions): Promise<TlsServer> {
    const { hostname, port } = options;
    const listener = process.getBuiltinModule("node:net").createServer();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listener.once("error", reject);
    listener.listen({ host: hostname, port }, resolve);
    try {
      await promise;
    } catch (cause) {
      throw bindError(options, findBindFailure(options) ?? cause);
    }
    listener.on("error", options.onError);
    return new TlsServer(listener, options);
  }

  private constructor(listener: import("node:net").Server, options: TlsServerOptions) {
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error(`BUG: at ${address}`);
    this.addr = { hostname: address.address, port: address.port };
    this.#listener = listener;
    this.#options = options;
    this.#material = options.material();
    this.#server = this.#serverOf(this.#material);
    listener.on("connection", (socket) => this.#connect(socket));
  }

  /** Stops listening, lets requests under way finish for `graceMs`, and closes every connection. */
  async shutdown(graceMs: number): Promise<void> {
    this.#listener.close();
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, graceMs);
    await Promise.race([Promise.all(this.#underWay), grace.promise]);
    clearTimeout(timer);
    for (const { socket } of this.#connections.values()) socket.destroy();
  }

  #connect(socket: Socket): void {
    // A connection may end at any time; what it was used for is told by who used it.
    socket.on("error", () => {});
    if (this.#connections.size >= MAX_CONNECTIONS && !this.#closeIdlest()) {
      socket.destroy();
      return;
    }
    const key = peerOf(socket);
    const connection: Connection = { socket, requestCount: 0, timer: undefined };
    this.#connections.set(key, connection);
    this.#limitIdleTime(key, FIRST_REQUEST_MS);
    socket.once("close", () => {
      clearTimeout(connection.timer);
      if (this.#connections.get(key) === connection) this.#connections.delete(key);
    });
    const material = this.#options.material();
    if (material !== this.#material) {
      const before = this.#server;
      this.#material = material;
      this.#server = this.#serverOf(material);
      // Who was let in by the configuration before shakes hands again.
      before.closeIdleConnections();
    }
    this.#server.emit("connection", socket);
  }

  /** @returns false if all connections have a request. */
  #closeIdlest(): boolean {
    for (const [key, { socket, requestCount }] of this.#connections) {
      if (requestCount > 0) continue;
      socket.destroy();
      this.#connections.delete(key);
      return true;
    }
    return false;
  }

  #limitIdleTime(key: string, timeMs: number): void {
    const connection = this.#connections.get(key);
    if (connection === undefined || connection.requestCount > 0) return;
    connection.timer = setTimeout(() => connection.socket.destroy(), timeMs);
    // To the end.
    this.#connections.delete(key);
    this.#connections.set(key, connection);
  }

  #beginRequest(key: string): void {
    const connection = this.#connections.get(key);
    if (connection === undefined) return;
    connection.requestCount++;
    clearTimeout(connection.timer);
  }

  #endRequest(key: string): void {
    const connection = this.#connections.get(key);
    if (connection === undefined) return;
    connection.requestCount--;
    this.#limitIdleTime(key, KEEP_ALIVE_MS);
  }

  #serverOf({ cert, key, clientCa, minVersion, maxVersion }: TlsMaterial): HttpsServer {
    const mutual = clientCa !== undefined;
    const server = process.getBuiltinModule("node:https").createServer({
      cert,
      key,
      minVersion,
      maxVersion,
      ...(mutual && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
      keepAliveTimeout: KEEP_ALIVE_MS,
    }, (request, response) => {
      const peer = peerOf(request.socket);
      this.#beginRequest(peer);
      const answer = this.#answer(request, { response, server, mutual })
        .catch((error) => {
          this.#options.onError(error);
          response.destroy();
        })
        .finally(() => {
          this.#underWay.delete(answer);
          this.#endRequest(peer);
        });
      this.#underWay.add(answer);
    });
    // A failed handshake is the client's affair, and its socket is closed.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  }

  async #answer(
    message: IncomingMessage,
    { response, server, mutual }: {
      readonly response: ServerResponse;
      readonly server: HttpsServer;
      readonly mutual: boolean;
    },
  ): Promise<void> {
    const socket = message.socket as import("node:tls").TLSSocket;
    // The server has refused it before; this must hold whatever Node's server does.
    if (mutual && !socket.authorized) {
      socket.destroy();
      return;
    }
    if (server !== this.#server) response.setHeader("connection", "close");
    const request = requestOf(message);
    const answer = request === undefined
      ? new Response("bad request\n", { status: 400 })
      : await this.#options.handle(request, {
        remoteAddr: {
          transport: "tcp",
          hostname: socket.remoteAddress ?? "",
          port: socket.remotePort ?? 0,
        },
      });
    await send(answer, response);
  }
}

/** Node's server says EINVAL where Deno's says that no interface has the address. */
function findBindFailure({ hostname, port }: ListenAddress): unknown {
  try {
    Deno.listen({ hostname, port }).close();
  } catch (error) {
    return error;
  }
  return undefined;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** The request without its body, which nothing here reads; undefined if it is none that can be answered. */
function requestOf({ method = "", url = "", headers }: IncomingMessage): Request | undefined {
  const list = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(", ") : value ?? "",
  ]);
  try {
    return new Request(new URL(url, "https://kmeter"), { method, headers: list });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Writes an answer as the client reads it. */
async function send(answer: Response, to: ServerResponse): Promise<void> {
  to.statusCode = answer.status;
  for (const [name, value] of answer.headers) to.setHeader(name, value);
  const reader = answer.body?.getReader();
  const closed = Promise.withResolvers<void>();
  // A page is cut off while its client does not read, too.
  const cut = reader?.closed;
  cut?.catch(() => {});
  to.once("close", () => {
    closed.resolve();
    // Tells the page that nobody reads it; it may have ended long ago.
    reader?.cancel().catch(() => {});
  });
  try {
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done || to.destroyed) break;
      if (to.write(piece.value)) continue;
      const drained = Promise.withResolvers<void>();
      to.once("drain", drained.resolve);
      await Promise.race([drained.promise, closed.promise, cut]);
      to.off("drain", drained.resolve);
    }
  } catch {
    // The page was cut off, and whoever cut it has told why: a cut connection tells the scraper.
    to.destroy();
    return;
  }
  to.end();
}
