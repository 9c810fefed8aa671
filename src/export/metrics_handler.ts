/** Answers to HTTP requests: `/metrics`, `/healthz`, and the page for people with its data. */

import { MetricsPage, type MetricsPageOptions } from "./_metrics_page.ts";
import { sharedAnswer } from "./shared_answer.ts";
import type { StatusDocument } from "./status.ts";
import { type LandingContent, WEB_HEADERS, WebPage } from "./web_page.ts";

/** Options of {@linkcode createMetricsHandler}. */
export interface MetricsHandlerOptions extends MetricsPageOptions {
  readonly landing: () => LandingContent;
  /** Called when the sets are up to date. */
  readonly status: () => Promise<StatusDocument>;
  /** Why kmeter is not healthy, or `undefined`. */
  readonly health?: () => string | undefined;
}

/** The part of a `Request` that is read. */
export type MetricsRequest = Pick<Request, "method" | "url" | "headers">;

/** Who asks. */
export interface RequestInfo {
  readonly remoteAddr: Deno.Addr;
}

/** Answers requests until it is closed. */
export interface MetricsHandler {
  handle(request: MetricsRequest, info: RequestInfo): Promise<Response>;
  /** Cuts off scrapes under way and ends the thread that compresses. Idempotent. */
  close(): void;
}

/** Makes the request handler. */
export function createMetricsHandler(options: MetricsHandlerOptions): MetricsHandler {
  const page = new MetricsPage(options);
  const web = new WebPage();
  const status = sharedAnswer(async () => {
    await page.refresh();
    return new TextEncoder().encode(`${JSON.stringify(await options.status())}\n`);
  });
  const handle = async (request: MetricsRequest, info: RequestInfo) => {
    const isHead = request.method === "HEAD";
    if (!isHead && request.method !== "GET") {
      return plain(405, "method not allowed\n", { allow: "GET, HEAD" });
    }
    // A client may name any host and path, and what it sends is no fault of ours.
    const path = URL.parse(request.url)?.pathname;
    switch (path) {
      case undefined:
        return withoutBodyIf(isHead, plain(400, "bad request: not a URL\n"));
      case "/metrics":
        return isHead ? page.head(request) : await page.get(request, info.remoteAddr);
      case "/healthz":
        return withoutBodyIf(isHead, healthResponse(options.health?.()));
      case "/":
        return withoutBodyIf(isHead, web.index(options.landing()));
      case "/api/v1/status":
        return json(isHead ? null : await status());
      default:
        return withoutBodyIf(isHead, web.file(path) ?? notFound());
    }
  };
  return { handle, close: () => page.close() };
}

function healthResponse(reason: string | undefined): Response {
  return reason === undefined ? plain(200, "ok\n") : plain(503, `${reason}\n`);
}

function json(bytes: Uint8Array<ArrayBuffer> | null): Response {
  return new Response(bytes, {
    headers: { "content-type": "application/json", ...WEB_HEADERS },
  });
}

function notFound(): Response {
  return plain(404, "not found: metrics are at /metrics, a page for people at /\n");
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

function withoutBodyIf(isHead: boolean, { status, headers, body }: Response): Response {
  return new Response(isHead ? null : body, { status, headers });
}
