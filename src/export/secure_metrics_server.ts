/** The HTTP server of `--metrics` with `--web.config.file`: encrypted, behind passwords, or both. */

import type { CutReason } from "./connections.ts";
import { createMetricsHandler, type MetricsHandler } from "./metrics_handler.ts";
import { type MetricsServer, type MetricsServerOptions, serveHandler } from "./metrics_server.ts";
import { PasswordChecker } from "./password_checker.ts";
import type { TlsMaterial, WebConfigFile } from "./web_config_file.ts";

/** Options of {@linkcode startSecureMetricsServer}. */
export interface SecureMetricsServerOptions extends MetricsServerOptions {
  readonly webConfig: WebConfigFile;
}

/**
 * Starts serving. Changes of the files take effect within a second; SIGHUP has them read at once, unless
 * standard input is a terminal: its end is what the signal means there.
 *
 * Throws: as `startMetricsServer`.
 */
export function startSecureMetricsServer(options: SecureMetricsServerOptions): MetricsServer {
  const { webConfig, onError, ownMetrics } = options;
  const onCut = (reason: CutReason) => ownMetrics.countConnectionCut(reason);
  const material = () => {
    webConfig.refresh();
    return tlsOf(webConfig);
  };
  const tls = webConfig.settings.tls === undefined ? undefined : material;
  const handler = guard(createMetricsHandler(options), webConfig);
  const server = serveHandler(handler, { ...options, onCut, tls });
  const onHangup = () => webConfig.reload();
  const listens = !Deno.stdin.isTerminal();
  if (listens) Deno.addSignalListener("SIGHUP", onHangup);
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    if (listens) Deno.removeSignalListener("SIGHUP", onHangup);
    await server.shutdown().catch(onError);
  };
  return { addr: server.addr, scheme: server.scheme, shutdown: () => stopping ??= stop() };
}

function tlsOf({ settings }: WebConfigFile): TlsMaterial {
  if (settings.tls === undefined) throw new Error("BUG: TLS ended while it was served");
  return settings.tls;
}

/** Asks for a password, if there are any, before anything else is done; adds the headers to each answer. */
function guard(handler: MetricsHandler, webConfig: WebConfigFile): MetricsHandler {
  const passwords = new PasswordChecker();
  const handle: MetricsHandler["handle"] = async (request, info) => {
    webConfig.refresh();
    const { users, headers } = webConfig.settings;
    const verdict = users.size === 0
      ? "right"
      : await passwords.check(request.headers.get("authorization"), users);
    const answer = verdict === "right" ? await handler.handle(request, info) : refusal(verdict);
    for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
    return answer;
  };
  return { handle, close: () => handler.close() };
}

function refusal(verdict: "wrong" | "busy"): Response {
  const type = { "content-type": "text/plain; charset=utf-8" };
  if (verdict === "busy") {
    return new Response("too many passwords to check\n", {
      status: 503,
      headers: { ...type, "retry-after": "1" },
    });
  }
  return new Response("unauthorized\n", {
    status: 401,
    headers: { ...type, "www-authenticate": 'Basic realm="kmeter", charset="UTF-8"' },
  });
}
