/** The HTTP server of `--metrics`. */

import { bindError } from "./_bind_error.ts";
import { Connections, type CutReason } from "./_connections.ts";
import { type ByteStream, serveHttp } from "./_http_connection.ts";
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
}

/** A server that listens. */
export interface MetricsServer {
  /** Where it listens, with the port the kernel chose for port 0. */
  readonly addr: ListenAddress;
  readonly scheme: "http" | "https";
  /** Stops listening and lets scrapes under way finish, for at most a second. Idempotent. */
  shutdown(): Promise<void>;
}

export const SHUTDOWN_GRACE_MS = 1000;
/** After a connection that could not be taken: usually there are no descriptors left. */
const ACCEPT_AGAIN_MS = 100;
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

/** Serves without encryption. Throws: as `startMetricsServer`. */
export function serveHandler(
  handler: MetricsHandler,
  { hostname, port, onError, onCut }: ServeOptions,
): MetricsServer {
  const listener = listen({ hostname, port });
  const connections = new Connections({ onCut });
  let isOpen = true;
  const serve = (socket: Deno.TcpConn) => {
    const stream = streamOf(socket);
    const connection = connections.admit(stream.close);
    if (connection === undefined) return stream.close();
    serveHttp(stream, { connection, handle: handler.handle, onError, mayContinue: () => isOpen });
  };
  const accepting = (async () => {
    while (isOpen) {
      try {
        serve(await listener.accept());
      } catch {
        if (!isOpen) return;
        connections.lowerLimit();
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
    scheme: "http",
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
