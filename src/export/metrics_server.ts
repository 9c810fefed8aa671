/** The HTTP server of `--metrics`. */

import { KernelError, UsageError } from "../errors.ts";
import { addressText, type ListenAddress } from "./listen_address.ts";
import { createMetricsHandler, type MetricsHandlerOptions } from "./metrics_handler.ts";

/** Options of {@linkcode startMetricsServer}. */
export interface MetricsServerOptions extends MetricsHandlerOptions, ListenAddress {}

/** A server that listens. */
export interface MetricsServer {
  /** Where it listens, with the port the kernel chose for port 0. */
  readonly addr: ListenAddress;
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
  const { hostname, port, onError } = options;
  const handler = createMetricsHandler(options);
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

const BIND_ERRORS = [
  {
    type: Deno.errors.AddrInUse,
    code: "EADDRINUSE",
    errno: 98,
    hint: "another process listens there; choose another address with --listen ADDR:PORT",
  },
  {
    type: Deno.errors.AddrNotAvailable,
    code: "EADDRNOTAVAIL",
    errno: 99,
    hint: "no interface has this address; choose another with --listen ADDR:PORT",
  },
  {
    type: Deno.errors.PermissionDenied,
    code: "EACCES",
    errno: 13,
    hint: "ports below 1024 need root; choose another with --listen ADDR:PORT",
  },
] as const;

function listen<T>(address: ListenAddress, bind: () => T): T {
  try {
    return bind();
  } catch (cause) {
    const what = `Cannot serve metrics on ${addressText(address)}`;
    const known = BIND_ERRORS.find(({ type }) => cause instanceof type);
    if (known !== undefined) {
      const { code, errno, hint } = known;
      throw new KernelError(`${what}: ${code} from bind`, { call: "bind", errno, hint, cause });
    }
    throw new UsageError(`${what}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
      hint: "choose another address with --listen ADDR:PORT",
    });
  }
}
