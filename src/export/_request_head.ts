/** The head of an HTTP/1 request. */

/** A request, without the body that nothing here reads. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** HTTP/1.0 knows no chunks. */
  readonly isHttp10: boolean;
  /** Whether another request may follow on the connection. */
  readonly mayContinue: boolean;
}

/** Status for what is no request: not HTTP, or of another version. */
export type RefusalStatus = 400 | 505;

/** A name, as RFC 9110 has it. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t -~\x80-\xff]*$/;
const LF = 10;
const CR = 13;

/**
 * Where the head ends that begins at 0: behind its empty line. Lines may end in a lone LF, as RFC 9112
 * allows. @returns -1 if it is not there yet.
 *
 * @param from where the search goes on: what is before has been searched.
 */
export function findHeadEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    const before = bytes[at - 1] === CR ? at - 2 : at - 1;
    if (before >= 0 && bytes[before] === LF) return at + 1;
  }
  return -1;
}

/** Parses a head, one character per byte. */
export function parseHead(text: string): RequestHead | RefusalStatus {
  const [requestLine, ...lines] = text.split(/\r?\n/);
  const [, method, target, major, minor] =
    /^([^\s]+) ([!-~\x80-\xff]+) HTTP\/(\d)\.(\d)$/.exec(requestLine) ?? [];
  if (method === undefined || !TOKEN.test(method)) return 400;
  if (major !== "1") return 505;
  const headers = parseHeaders(lines.slice(0, -2));
  if (headers === undefined) return 400;
  const isHttp10 = minor === "0";
  const host = headers.get("host");
  if (host === null && !isHttp10) return 400;
  const url = URL.parse(target.startsWith("/") ? `http://${host || "kmeter"}${target}` : target);
  if (url === null) return 400;
  return {
    method,
    url: url.href,
    headers,
    isHttp10,
    mayContinue: isKept(headers, isHttp10),
  };
}

/** @returns undefined if a line is no header. */
function parseHeaders(lines: readonly string[]): Headers | undefined {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1);
    const isSecondHost = name.toLowerCase() === "host" && headers.has("host");
    if (!TOKEN.test(name) || !VALUE.test(value) || isSecondHost) return undefined;
    headers.append(name, value);
  }
  return headers;
}

/** A body ends the connection, so that nobody needs to know where the body ends; so does HTTP/1.0. */
function isKept(headers: Headers, isHttp10: boolean): boolean {
  const hasBody = headers.has("transfer-encoding") ||
    !/^0*$/.test(headers.get("content-length") ?? "");
  const asksToClose = /(^|,)\s*close\s*(,|$)/i.test(headers.get("connection") ?? "");
  return !isHttp10 && !hasBody && !asksToClose;
}
