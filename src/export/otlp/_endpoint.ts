/** Where an exporter sends to. */

import { UsageError } from "../../errors.ts";
import type { ExporterSetting, OtlpProtocol } from "./exporter_setting.ts";

const HTTP_PATH = "v1/metrics";

/** What an endpoint means depends on it. */
export interface EndpointContext {
  readonly protocol: OtlpProtocol;
  /** Only says something of gRPC endpoints without a scheme. */
  readonly insecure: boolean | undefined;
  readonly insecureSource: string | undefined;
}

/**
 * Parses `http://HOST:PORT/PATH`, `https://…`; for gRPC also `HOST:PORT`, which means TLS unless
 * `insecure`.
 *
 * Throws: UsageError.
 */
export function parseEndpoint(setting: ExporterSetting, context: EndpointContext): string {
  const isGrpc = context.protocol === "grpc";
  const { value, source } = setting;
  const fail = (why: string, hint?: string) =>
    new UsageError(`${source} "${withoutPassword(value)}": ${why}`, {
      hint: hint ?? `for example ${isGrpc ? "http://localhost:4317" : "http://localhost:4318"}`,
    });
  const hasScheme = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(value);
  if (!hasScheme && !isGrpc) throw fail("no URL that begins with http:// or https://");
  const url = parseUrl(hasScheme ? value : `${context.insecure ? "http" : "https"}://${value}`);
  if (url === undefined || url.hostname === "") throw fail("no URL");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw fail(`its scheme is ${url.protocol.slice(0, -1)}, wanted http or https`);
  }
  if (url.username !== "" || url.password !== "") {
    throw fail("a URL with a password", "give credentials as a header");
  }
  if (url.hash !== "") throw fail("a URL with a fragment");
  if (hasScheme && url.protocol === "https:" && context.insecure === true) {
    throw fail(`it asks for TLS, and ${context.insecureSource} for none`);
  }
  if (!isGrpc) return httpUrl(url, setting.path);
  if (url.pathname !== "/" || url.search !== "") throw fail("gRPC endpoints have no path");
  return `${url.protocol}//${url.host}`;
}

function httpUrl(url: URL, path: ExporterSetting["path"]): string {
  if (path === "base" || (path === undefined && url.pathname === "/")) {
    url.pathname = `${url.pathname.replace(/\/$/, "")}/${HTTP_PATH}`;
  }
  return url.href;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** An error must not tell it. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//…@");
}
