/** Headers of requests, and other lists of `name=value`. */

import { UsageError } from "../../errors.ts";
import type { ExporterSetting, OtlpProtocol } from "./exporter_setting.ts";

/** Set by kmeter, or by who carries the request. */
const OWN_HEADERS = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "te",
  "transfer-encoding",
  "user-agent",
]);

/**
 * Parses `name=value,name2=value2`; values may be percent-encoded, as the OpenTelemetry variables have it.
 *
 * Throws: UsageError. It does not tell values: they may be secrets.
 */
export function parseExporterHeaders(
  setting: ExporterSetting | undefined,
  protocol: OtlpProtocol,
): [name: string, value: string][] {
  if (setting === undefined) return [];
  return parsePairs(setting).map(([name, value], index) => {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
      // It may be a secret that ends in "=".
      throw new UsageError(`${setting.source}: part ${index + 1} begins with no name of a header`);
    }
    const fail = (why: string) => new UsageError(`${setting.source}: header "${name}" ${why}`);
    if (!/^[\x20-\x7e]*$/.test(value)) throw fail("has a value that is not printable ASCII");
    const lower = name.toLowerCase();
    const isOwn = OWN_HEADERS.has(lower) ||
      (protocol === "grpc" && (lower.startsWith("grpc-") || lower.endsWith("-bin")));
    if (isOwn) throw fail("is not for you to set");
    return [lower, value];
  });
}

/** Parses a list of pairs. Throws: UsageError without values. */
export function parsePairs({ value, source }: ExporterSetting): [name: string, value: string][] {
  return value.split(",").filter((part) => part.trim() !== "").map((part, index) => {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(0, equals)).trim();
    if (name === "") {
      throw new UsageError(`${source}: part ${index + 1} is not of the form name=value`, {
        hint: "write name=value,name2=value2, and %2C for a comma in a value",
      });
    }
    const decoded = decodePercents(part.slice(equals + 1).trim());
    if (decoded !== undefined) return [name, decoded];
    throw new UsageError(`${source}: the value of "${name}" is no percent-encoded UTF-8`, {
      hint: "write %25 for a percent sign",
    });
  });
}

function decodePercents(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // The one thing that it throws for.
    return undefined;
  }
}
