/** Answers to HTTP requests: `/metrics`, `/healthz` and the landing page. */

import { acceptsGzip, negotiateFormat } from "./content_negotiation.ts";
import { CONTENT_TYPES, type Exposition, type TextExposition } from "./exposition.ts";
import { type LandingContent, landingPage } from "./landing_page.ts";
import type { OwnMetrics } from "./own_metrics.ts";

/** Below this, compressing costs more than it saves. */
const MIN_GZIP_BYTES = 64 * 1024;

/** Options of {@linkcode createMetricsHandler}. */
export interface MetricsHandlerOptions {
  readonly exposition: Exposition;
  readonly ownMetrics: OwnMetrics;
  /** Brings the sets up to date. If it throws, the page goes out with what is there. */
  readonly beforeScrape?: () => void | Promise<void>;
  readonly landing: () => LandingContent;
  /** Why kmeter is not healthy, or `undefined`. */
  readonly health?: () => string | undefined;
  readonly onError: (error: unknown) => void;
}

/** The part of `Deno.ServeHandlerInfo` that is read. */
export interface RequestInfo {
  readonly remoteAddr: Deno.Addr;
}

type Handler = (request: Request, info: RequestInfo) => Promise<Response>;

/** Makes the request handler. Scrapes that overlap share one refresh. */
export function createMetricsHandler(options: MetricsHandlerOptions): Handler {
  const page = new MetricsPage(options);
  return async (request, info) => {
    const isHead = request.method === "HEAD";
    if (!isHead && request.method !== "GET") {
      return plain(405, "method not allowed\n", { allow: "GET, HEAD" });
    }
    switch (new URL(request.url).pathname) {
      case "/metrics":
        return isHead ? page.head(request) : await page.get(request, info);
      case "/healthz":
        return withoutBodyIf(isHead, healthResponse(options.health?.()));
      case "/":
        return withoutBodyIf(isHead, landingResponse(options.landing()));
      default:
        return withoutBodyIf(isHead, plain(404, "not found: metrics are at /metrics\n"));
    }
  };
}

class MetricsPage {
  readonly #options: MetricsHandlerOptions;
  readonly #refresh: () => Promise<void>;
  readonly #ownText: Readonly<Record<TextExposition, () => Promise<Uint8Array>>>;

  constructor(options: MetricsHandlerOptions) {
    this.#options = options;
    this.#refresh = shareInFlight(() => this.#refreshOnce());
    this.#ownText = {
      text: shareInFlight(() => options.ownMetrics.render("text")),
      openmetrics: shareInFlight(() => options.ownMetrics.render("openmetrics")),
    };
  }

  head(request: Request): Response {
    return new Response(null, { headers: headersOf(formatOf(request)) });
  }

  async get(request: Request, info: RequestInfo): Promise<Response> {
    const startMs = performance.now();
    const format = formatOf(request);
    await this.#refresh();
    const trailer = await this.#ownText[format]();
    const chunks = this.#chunks(format, { trailer, startMs });
    const headers = headersOf(format);
    const mayGzip = acceptsGzip(request.headers.get("accept-encoding")) &&
      !isLoopback(info.remoteAddr);
    if (!mayGzip) return new Response(streamOf(chunks), { headers });

    const { value: first, done } = chunks.next();
    if (done === true || first.length < MIN_GZIP_BYTES) {
      return new Response(streamOf(concat(first, chunks)), { headers });
    }
    headers.set("content-encoding", "gzip");
    return new Response(await gzipStreamOf(concat(first, chunks)), { headers });
  }

  async #refreshOnce(): Promise<void> {
    try {
      await this.#options.beforeScrape?.();
    } catch (error) {
      this.#options.ownMetrics.countScrapeError("refresh");
      this.#options.onError(error);
    }
  }

  /** Copies of the chunks: the exposition only lends them, and a slow client keeps them. */
  *#chunks(
    format: TextExposition,
    { trailer, startMs }: { trailer: Uint8Array; startMs: number },
  ): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
    try {
      for (const chunk of this.#options.exposition.render(format, { trailer })) {
        yield chunk.slice();
      }
    } catch (error) {
      // The status is long sent: a cut connection tells the scraper that the page is not whole.
      this.#options.ownMetrics.countScrapeError("render");
      this.#options.onError(error);
      throw error;
    }
    this.#options.ownMetrics.recordScrape((performance.now() - startMs) / 1000);
  }
}

type Chunks = Generator<Uint8Array<ArrayBuffer>, void, undefined>;

function* concat(first: Uint8Array<ArrayBuffer> | void, rest: Chunks): Chunks {
  try {
    if (first !== undefined) yield first;
    yield* rest;
  } finally {
    rest.return();
  }
}

function streamOf(chunks: Chunks): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    // A byte stream passes buffers on without another copy.
    type: "bytes",
    pull(controller) {
      const { value, done } = chunks.next();
      if (done === true) {
        controller.close();
        // Answers a read that brought its own buffer; without it such a read would wait for ever.
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(value);
      }
    },
    cancel() {
      chunks.return();
    },
  });
}

/** Compresses by zlib level 1; `CompressionStream` is level 6 and five times slower. */
async function gzipStreamOf(chunks: Chunks): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const [{ createGzip }, { pipeline, Readable }] = await Promise.all([
    import("node:zlib"),
    import("node:stream"),
  ]);
  const gzip = createGzip({ level: 1 });
  // Failures reach the client through `gzip`; what made them was reported where it happened.
  pipeline(Readable.from(chunks, { objectMode: false, highWaterMark: 1 }), gzip, () => {});
  // Node's declaration of a web stream is not the one that Response takes, though it is the same class.
  return Readable.toWeb(gzip) as ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Lets callers that come while a call is under way wait for its result instead of starting another. */
function shareInFlight<T>(call: () => Promise<T>): () => Promise<T> {
  let inFlight: Promise<T> | undefined;
  return () => {
    inFlight ??= call().finally(() => {
      inFlight = undefined;
    });
    return inFlight;
  };
}

function formatOf(request: Request): TextExposition {
  return negotiateFormat(request.headers.get("accept"));
}

function headersOf(format: TextExposition): Headers {
  return new Headers({ "content-type": CONTENT_TYPES[format], "vary": "accept, accept-encoding" });
}

function isLoopback(address: Deno.Addr): boolean {
  if (!("hostname" in address)) return true;
  const { hostname } = address;
  return hostname === "::1" || /^(::ffff:)?127\./.test(hostname);
}

function healthResponse(reason: string | undefined): Response {
  return reason === undefined ? plain(200, "ok\n") : plain(503, `${reason}\n`);
}

function landingResponse(content: LandingContent): Response {
  return new Response(landingPage(content), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'",
      "x-content-type-options": "nosniff",
    },
  });
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
