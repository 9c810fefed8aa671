/** Encrypted connections by Node: Deno's own can neither ask for client certificates nor change theirs. */

import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { bindError } from "./_bind_error.ts";
import { type Connection, Connections } from "./_connections.ts";
import { type ByteStream, serveHttp } from "./_http_connection.ts";
import type { ListenAddress } from "./listen_address.ts";
import type { ServeOptions } from "./metrics_server.ts";
import type { MetricsHandler } from "./metrics_handler.ts";
import type { TlsMaterial } from "./web_config_file.ts";

/** What a TLS server does. */
export interface TlsServerOptions extends ServeOptions {
  /** Asked before each connection: a new object is a new configuration. */
  readonly material: () => TlsMaterial;
  readonly handle: MetricsHandler["handle"];
}

/** Takes connections, and gives each to a server with the configuration of that time. */
export class TlsServer {
  readonly addr: ListenAddress;
  readonly #options: TlsServerOptions;
  readonly #listener: import("node:net").Server;
  readonly #connections: Connections;
  /** Those whose handshake is under way, by the other end's address and port: Node has two sockets for each. */
  readonly #shakingHands = new Map<string, Connection>();
  #material: TlsMaterial;
  #server: Server;
  #isOpen = true;

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
    // Usually there are no descriptors left; Node goes on.
    return new TlsServer(listener, options);
  }

  private constructor(listener: import("node:net").Server, options: TlsServerOptions) {
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error(`BUG: at ${address}`);
    this.addr = { hostname: address.address, port: address.port };
    this.#listener = listener;
    this.#options = options;
    this.#connections = new Connections(options);
    this.#material = options.material();
    this.#server = this.#serverOf(this.#material);
    listener.on("error", options.onError);
    listener.on("connection", (socket) => this.#connect(socket));
  }

  /** Stops listening, lets requests under way finish for `graceMs`, and closes every connection. */
  async shutdown(graceMs: number): Promise<void> {
    this.#isOpen = false;
    this.#listener.close();
    await this.#connections.shutdown(graceMs);
  }

  #connect(socket: Socket): void {
    // A connection may end at any time; what it was used for is told by who used it.
    socket.on("error", () => {});
    const connection = this.#connections.admit(() => socket.destroy());
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    const key = peerOf(socket);
    this.#shakingHands.set(key, connection);
    socket.once("close", () => {
      connection.end();
      if (this.#shakingHands.get(key) === connection) this.#shakingHands.delete(key);
    });
    const material = this.#options.material();
    if (material !== this.#material) {
      this.#material = material;
      this.#server = this.#serverOf(material);
      // Who was let in by the configuration before shakes hands again.
      this.#connections.closeIdle({ but: connection });
    }
    this.#server.emit("connection", socket);
  }

  #serverOf({ cert, key, clientCa, minVersion, maxVersion }: TlsMaterial): Server {
    const mutual = clientCa !== undefined;
    const server = process.getBuiltinModule("node:tls").createServer({
      cert,
      key,
      minVersion,
      maxVersion,
      ...(mutual && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
      ALPNProtocols: ["http/1.1"],
    }, (socket) => {
      socket.on("error", () => {});
      const peer = peerOf(socket);
      const connection = this.#shakingHands.get(peer);
      this.#shakingHands.delete(peer);
      // The server has refused who has no certificate; this must hold whatever Node's server does.
      if (connection === undefined || (mutual && !socket.authorized)) {
        socket.destroy();
        return;
      }
      const { handle, onError } = this.#options;
      const mayContinue = () => this.#isOpen && server === this.#server;
      serveHttp(streamOf(socket), { connection, handle, onError, mayContinue });
    });
    // A failed handshake is the client's affair, and its socket is closed.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
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

function streamOf(socket: TLSSocket): ByteStream {
  const { remoteAddress = "", remotePort = 0 } = socket;
  const pieces: AsyncIterator<Uint8Array> = socket[Symbol.asyncIterator]();
  let fail: (reason: Error) => void = () => {};
  socket.once("close", () => fail(new Deno.errors.ConnectionReset("closed")));
  // Node does not end what waits for a socket that is closed from this side.
  const untilClosed = <T>(wait: (resolve: (value: T) => void) => void) =>
    new Promise<T>((resolve, reject) => {
      fail = reject;
      if (socket.destroyed) reject(new Deno.errors.ConnectionReset("closed"));
      else wait(resolve);
    });
  return {
    peer: { transport: "tcp", hostname: remoteAddress, port: remotePort },
    read: () =>
      untilClosed((resolve) => {
        pieces.next().then(({ value, done }) => resolve(done ? undefined : value), fail);
      }),
    write: (bytes) =>
      untilClosed((resolve) => {
        socket.write(bytes, (error) => error ? fail(error) : resolve());
      }),
    closeWrite: () => {
      socket.end();
      return Promise.resolve();
    },
    close: () => void socket.destroy(),
  };
}
