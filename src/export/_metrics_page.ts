/** Answers to `GET /metrics`. */

import type { BodySource } from "./body_source.ts";
import { Deflater } from "./deflater.ts";
import { GzipBody } from "./gzip_body.ts";
import {
  DEFAULT_SCRAPE_LIMITS,
  type Scrape,
  ScrapeCut,
  type ScrapeLimits,
  Scrapes,
} from "./_scrapes.ts";
import { type BodyReader, SharedBody } from "./shared_body.ts";
import { Pace } from "./pace.ts";
import { acceptsGzip, negotiateFormat } from "./content_negotiation.ts";
import { CONTENT_TYPES, type Exposition, type ExpositionFormat } from "./exposition.ts";
import type { OwnMetrics } from "./own_metrics.ts";

/** A smaller page is sent within milliseconds anyway, and not worth a worker and its 13 MB. */
const MIN_GZIP_BYTES = 256 * 1024;
/** Name, labels and value, as a guess. */
const USUAL_LINE_BYTES = 100;

/**
 * Who asks this soon after another gets the same page, unless that has been made to the end. Longer,
 * and a page that nobody reads would be old for who joins it.
 */
const SHARE_MS = 100;

const RETRY_AFTER_SECONDS = "1";

/** What a page is made of, and who is told of failures. */
export interface MetricsPageOptions {
  readonly exposition: Exposition;
  readonly ownMetrics: OwnMetrics;
  /**
   * Brings the sets up to date. If it throws, the page goes out with what is there; if it takes longer
   * than a scrape may, there is no page.
   */
  readonly beforeScrape?: () => void | Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly limits?: ScrapeLimits;
}

/** The part of a `Request` that says what kind of page is wanted. */
export type PageRequest = Pick<Request, "headers">;

/** What is common to scrapes that may share a page. */
interface Variant {
  readonly format: ExpositionFormat;
  readonly gzip: boolean;
}

interface RecentBody {
  readonly body: SharedBody;
  readonly startMs: number;
}

/** The page of all metrics. Scrapes that overlap share one refresh, and one rendering if they can. */
export class MetricsPage {
  /** Brings the sets up to date; who comes meanwhile waits for the same. Never rejects. */
  readonly refresh: () => Promise<void>;
  readonly #options: MetricsPageOptions;
  readonly #scrapes: Scrapes;
  readonly #deflater = new Deflater();
  readonly #pace = new Pace();
  /** By variant. */
  readonly #recent = new Map<string, RecentBody>();
  readonly #ownPart: Readonly<Record<ExpositionFormat, () => Promise<Uint8Array>>>;

  constructor(options: MetricsPageOptions) {
    this.#options = options;
    this.#scrapes = new Scrapes(options.limits ?? DEFAULT_SCRAPE_LIMITS, {
      onTooLate: () => options.ownMetrics.countScrapeError("timeout"),
    });
    this.refresh = shareInFlight(() => this.#refreshOnce());
    this.#ownPart = {
      text: shareInFlight(() => options.ownMetrics.render("text")),
      openmetrics: shareInFlight(() => options.ownMetrics.render("openmetrics")),
      protobuf: shareInFlight(() => options.ownMetrics.render("protobuf")),
    };
  }

  head(request: PageRequest): Response {
    return new Response(null, { headers: headersOf(formatOf(request)) });
  }

  /**
   * A page that is rendered as the client reads it. Who reads slowly delays nobody, and is cut off
   * after a time: what the socket holds by then is all that stays. If the page has not begun by then, the
   * answer is 503.
   */
  async get(request: PageRequest, peer: Deno.Addr): Promise<Response> {
    const scrape = this.#scrapes.admit();
    if (scrape === undefined) {
      this.#options.ownMetrics.countScrapeError("refused");
      return unavailable("too many scrapes under way");
    }
    try {
      const format = formatOf(request);
      await scrape.within(this.refresh());
      const trailer = await scrape.within(this.#ownPart[format]());
      await scrape.within(this.#pace.breathe());
      const mayGzip = acceptsGzip(request.headers.get("accept-encoding")) && !isLoopback(peer);
      const variant = { format, gzip: mayGzip && this.#isWorthGzip(trailer) };
      const headers = headersOf(format);
      if (variant.gzip) headers.set("content-encoding", "gzip");
      return new Response(this.#stream(scrape, this.#join(variant, trailer)), { headers });
    } catch (error) {
      scrape.end();
      if (error instanceof ScrapeCut) return unavailable(error.message);
      throw error;
    }
  }

  /** Cuts off scrapes under way and ends the worker that compresses. */
  close(): void {
    this.#scrapes.close();
    this.#deflater.close();
  }

  async #refreshOnce(): Promise<void> {
    try {
      await this.#options.beforeScrape?.();
    } catch (error) {
      this.#options.ownMetrics.countScrapeError("refresh");
      this.#options.onError(error);
    }
  }

  #isWorthGzip(trailer: Uint8Array): boolean {
    const lines = this.#options.exposition.approximateLines;
    return lines * USUAL_LINE_BYTES + trailer.length >= MIN_GZIP_BYTES;
  }

  /** A reader of a page that somebody else has just begun, or of a new one. */
  #join(variant: Variant, trailer: Uint8Array): BodyReader {
    const key = `${variant.format} ${variant.gzip}`;
    const recent = this.#recent.get(key);
    const nowMs = performance.now();
    const shared = recent !== undefined && nowMs - recent.startMs < SHARE_MS
      ? recent.body.join()
      : undefined;
    if (shared !== undefined) return shared;
    const body = new SharedBody(this.#source(variant, trailer), {
      onError: (error) => {
        this.#options.ownMetrics.countScrapeError("render");
        this.#options.onError(error);
      },
      onIdle: () => {
        if (this.#recent.get(key)?.body === body) this.#recent.delete(key);
      },
    });
    this.#recent.set(key, { body, startMs: nowMs });
    return body.joinFirst();
  }

  #source({ format, gzip }: Variant, trailer: Uint8Array): BodySource {
    const page = this.#options.exposition.openBody(format, { trailer });
    return gzip ? new GzipBody(page, { deflater: this.#deflater }) : page;
  }

  #stream(scrape: Scrape, reader: BodyReader): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { ownMetrics } = this.#options;
    const end = () => {
      scrape.end();
      reader.close();
    };
    return new ReadableStream({
      start: (controller) => {
        scrape.whenCut((reason) => {
          reader.close();
          controller.error(reason);
        });
      },
      pull: async (controller) => {
        if (scrape.hasEnded) return;
        scrape.progressMs = performance.now();
        try {
          const piece = await reader.read();
          if (scrape.hasEnded) return;
          if (piece !== undefined) {
            controller.enqueue(piece);
            return;
          }
          end();
          controller.close();
          ownMetrics.recordScrape((performance.now() - scrape.startMs) / 1000);
        } catch (error) {
          // The status is long sent: a cut connection tells the scraper that the page is not whole.
          end();
          throw error;
        }
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }
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

function formatOf(request: PageRequest): ExpositionFormat {
  return negotiateFormat(request.headers.get("accept"));
}

function headersOf(format: ExpositionFormat): Headers {
  return new Headers({ "content-type": CONTENT_TYPES[format], "vary": "accept, accept-encoding" });
}

/**
 * Over loopback gzip saves nothing: a million series take 0.2 s and 0.2 s of CPU without it, 0.3 s and
 * 0.4 s with it, and Prometheus, which always offers it, needs more to read them.
 */
function isLoopback(address: Deno.Addr): boolean {
  if (!("hostname" in address)) return true;
  const { hostname } = address;
  return hostname === "::1" || /^(::ffff:)?127\./.test(hostname);
}

function unavailable(reason: string): Response {
  return new Response(`${reason}\n`, {
    status: 503,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "retry-after": RETRY_AFTER_SECONDS,
    },
  });
}
