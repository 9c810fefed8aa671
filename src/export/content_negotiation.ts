/** Which format a scraper gets, and whether compressed. */

import type { ExpositionFormat } from "./_number_text.ts";

interface Preference {
  readonly quality: number;
  /** 3 for a full media type, 2 for `text/*`, 1 for `*` + `/*`, 0 for none. */
  readonly specificity: number;
}

interface Range {
  readonly type: string;
  readonly quality: number;
  readonly version: string | undefined;
  /** Of protobuf: which message, and how several are joined. */
  readonly proto: string | undefined;
  readonly encoding: string | undefined;
}

const NOT_ACCEPTED: Preference = { quality: 0, specificity: 0 };

/**
 * Picks the format by an `Accept` header. Text is the answer to everything but an explicit wish for
 * protobuf or OpenMetrics 1.0: who accepts neither gets text rather than an error, as Prometheus clients do.
 */
export function negotiateFormat(accept: string | null): ExpositionFormat {
  const ranges = parseRanges(accept ?? "");
  const protobuf = best(ranges.filter(isMetricFamily), ["application/vnd.google.protobuf"]);
  const open = best(ranges.filter(isOpenMetrics), ["application/openmetrics-text"]);
  const text = best(ranges.filter(isPlainText), ["text/plain", "text/*", "*/*"]);
  if (protobuf.quality > 0 && protobuf.quality >= Math.max(open.quality, text.quality)) {
    return "protobuf";
  }
  if (open.quality === 0) return "text";
  if (open.quality !== text.quality) return open.quality > text.quality ? "openmetrics" : "text";
  return open.specificity > text.specificity ? "openmetrics" : "text";
}

/** True if an `Accept-Encoding` header allows gzip. */
export function acceptsGzip(acceptEncoding: string | null): boolean {
  const ranges = parseRanges(acceptEncoding ?? "");
  const gzip = ranges.find(({ type }) => type === "gzip" || type === "x-gzip") ??
    ranges.find(({ type }) => type === "*");
  return gzip !== undefined && gzip.quality > 0;
}

function isMetricFamily({ proto, encoding }: Range): boolean {
  return proto === "io.prometheus.client.metricfamily" && encoding === "delimited";
}

function isOpenMetrics({ version }: Range): boolean {
  return version === undefined || version === "1.0.0";
}

function isPlainText({ version }: Range): boolean {
  return version === undefined || version === "0.0.4";
}

/** The preference that counts: that of the most specific range, and there the highest. */
function best(ranges: readonly Range[], types: readonly string[]): Preference {
  for (const [index, type] of types.entries()) {
    const qualities = ranges.filter((range) => range.type === type).map(({ quality }) => quality);
    if (qualities.length > 0) return { quality: Math.max(...qualities), specificity: 3 - index };
  }
  return NOT_ACCEPTED;
}

function parseRanges(header: string): Range[] {
  return header.split(",").map((part) => {
    const [type, ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const values = new Map(parameters.map((parameter) => {
      const equals = parameter.indexOf("=");
      return [parameter.slice(0, equals).trim(), parameter.slice(equals + 1).trim()] as const;
    }));
    return {
      type,
      quality: parseQuality(values.get("q")),
      version: unquote(values.get("version")),
      proto: unquote(values.get("proto")),
      encoding: unquote(values.get("encoding")),
    };
  });
}

/** Qualities outside [0, 1] or not numbers count as 0: what is not understood is not preferred. */
function parseQuality(text: string | undefined): number {
  if (text === undefined) return 1;
  const quality = text === "" ? NaN : Number(text);
  return quality >= 0 && quality <= 1 ? quality : 0;
}

function unquote(text: string | undefined): string | undefined {
  return text?.replace(/^"(.*)"$/, "$1");
}
