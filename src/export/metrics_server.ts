/** The HTTP server of `--metrics`. */

import { bindError } from "./_bind_error.ts";
import { Connections, type CutReason } from "./connections.ts";
import { type ByteStream, serveHttp } from "./http_connection.ts";
import { acceptTls } from "./_tls_stream.ts";
import type { TlsMaterial } from "./web_config_file.ts";
import type { ListenAddress } from "./listen_address.ts";
import {
  createMetricsHandler,
  type MetricsHandler,
  type MetricsHandlerOptions,
} from "./metrics_handler.ts";

/** Options of {@linkcode startMetricsServer}. */
export interface MetricsServerOptions extends MetricsHandlerOptions, ListenAddress {}

/** How a handler is served. */
export interface ServeOptions extends ListenAddress {
  readonly onError: (error: unknown) => void;
  readonly onCut: (reason: CutReason) => void;
  /** For TLS, asked before each connection: a new object is a new configuration. */
  readonly tls?: () => TlsMaterial;
}

/** A server that listens. */
export interface MetricsServer {
  /** Where it listens, with the port the kernel chose for port 0. */
  readonly addr: ListenAddress;
  readonly scheme: "http" | "https";
  /** Stops listening and lets scrapes under way finish, for at most a second. Idempotent. */
  shutdown(): Promise<void>;
}

const SHUTDOWN_GRACE_MS = 1000;
/** After a connection that could not be taken. */
const ACCEPT_AGAIN_MS = 100;
/** No descriptors or memory are left. */
const EXHAUSTED: readonly unknown[] = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];
/** A usual request fits in. */
const READ_BYTES = 2048;

/**
 * Starts serving.
 *
 * Throws: `KernelError` if the address cannot be bound, `UsageError` if the host is unknown.
 */
export function startMetricsServer(options: MetricsServerOptions): MetricsServer {
  const { ownMetrics } = options;
  const onCut = (reason: CutReason) => ownMetrics.countConnectionCut(reason);
  return serveHandler(createMetricsHandler(options), { ...options, onCut });
}

/** Serves. Throws: as `startMetricsServer`. */
export function serveHandler(handler: MetricsHandler, options: ServeOptions): MetricsServer {
  const { onError, onCut, tls } = options;
  const listener = listen(options);
  const connections = new Connections({ onCut });
  let isOpen = true;
  let material = tls?.();
  const serve = async (socket: Deno.TcpConn) => {
    const raw = streamOf(socket);
    const connection = connections.admit(raw.close);
    if (connection === undefined) return raw.close();
    const mine = tls?.();
    // Who was let in by the configuration before shakes hands again.
    if (mine !== material) connections.closeIdle({ but: connection });
    material = mine;
    const onBegin = () => connection.beginRequest();
    const stream = mine === undefined
      ? raw
      : await acceptTls(raw, { material: mine, onBegin }).catch(() => undefined);
    if (stream === undefined) return connection.close();
    const mayContinue = () => isOpen && mine === material;
    await serveHttp(stream, { connection, handle: handler.handle, onError, mayContinue });
  };
  const accepting = (async () => {
    while (isOpen) {
      try {
        await connections.waitForRoom();
        serve(await listener.accept()).catch(onError);
      } catch (cause) {
        if (!isOpen) return;
        if (EXHAUSTED.includes((cause as { code?: unknown }).code)) connections.lowerLimit();
        else onError(new Error(`Cannot accept a connection: ${messageOf(cause)}`, { cause }));
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  })();
  const stop = async () => {
    isOpen = false;
    listener.close();
    await accepting;
    await connections.shutdown(SHUTDOWN_GRACE_MS);
    handler.close();
  };
  let stopping: Promise<void> | undefined;
  return {
    addr: { hostname: listener.addr.hostname, port: listener.addr.port },
    scheme: tls === undefined ? "http" : "https",
    shutdown: () => stopping ??= stop(),
  };
}

function listen(address: ListenAddress): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address.hostname, port: address.port });
  } catch (cause) {
    throw bindError(address, cause);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function streamOf(socket: Deno.TcpConn): ByteStream {
  socket.setNoDelay(true);
  const room = new Uint8Array(READ_BYTES);
  let isClosed = false;
  return {
    peer: socket.remoteAddr,
    read: async () => {
      const length = await socket.read(room);
      return length === null ? undefined : room.subarray(0, length);
    },
    write: async (bytes) => {
      for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
    },
    closeWrite: () => socket.closeWrite(),
    close: () => {
      if (!isClosed) socket.close();
      isClosed = true;
    },
  };
}
