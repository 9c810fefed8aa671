/** The HTTP server of `--metrics`. */

import { bindError } from "./_bind_error.ts";
import type { ListenAddress } from "./listen_address.ts";
import {
  createMetricsHandler,
  type MetricsHandler,
  type MetricsHandlerOptions,
} from "./metrics_handler.ts";

/** Options of {@linkcode startMetricsServer}. */
export interface MetricsServerOptions extends MetricsHandlerOptions, ListenAddress {}

/** A server that listens. */
export interface MetricsServer {
  /** Where it listens, with the port the kernel chose for port 0. */
  readonly addr: ListenAddress;
  readonly scheme: "http" | "https";
  /** Stops listening and lets scrapes under way finish, for at most a second. Idempotent. */
  shutdown(): Promise<void>;
}

const SHUTDOWN_GRACE_MS = 1000;

/**
 * Starts serving.
 *
 * Throws: `KernelError` if the address cannot be bound, `UsageError` if the host is unknown.
 */
export function startMetricsServer(options: MetricsServerOptions): MetricsServer {
  return serveHandler(createMetricsHandler(options), options);
}

/** Serves by Deno's own server. Throws: as `startMetricsServer`. */
export function serveHandler(
  handler: MetricsHandler,
  { hostname, port, onError }: MetricsServerOptions,
): MetricsServer {
  const server = listen({ hostname, port }, () =>
    Deno.serve({
      hostname,
      port,
      // Deno prints a line of its own unless told otherwise.
      onListen: () => {},
      onError: (error) => {
        onError(error);
        return new Response("internal error\n", { status: 500 });
      },
    }, handler.handle));
  let stopping: Promise<void> | undefined;
  return {
    addr: { hostname: server.addr.hostname, port: server.addr.port },
    scheme: "http",
    shutdown: () => stopping ??= stop(server).finally(() => handler.close()),
  };
}

async function stop(server: Deno.HttpServer): Promise<void> {
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(grace.resolve, SHUTDOWN_GRACE_MS);
  await Promise.race([server.shutdown(), grace.promise]);
  clearTimeout(timer);
  // A client that stopped reading cannot be cut off, but it need not keep the process alive.
  server.unref();
}

function listen<T>(address: ListenAddress, bind: () => T): T {
  try {
    return bind();
  } catch (cause) {
    throw bindError(address, cause);
  }
}
