/** What collectors answer. */

import { FormatError } from "../../errors.ts";
import { bytesOf, numberOf, readFields, textOf } from "./_protobuf_reader.ts";
import type { Delivery } from "./_transport.ts";

const PARTIAL_SUCCESS = { message: 1, refused: 1, text: 2 };
/** google.rpc.Status and what its details may be: an Any with a RetryInfo. */
const STATUS = { message: 2, details: 3 };
const ANY = { type: 1, value: 2 };
const RETRY_INFO = { delay: 1 };
const DURATION = { seconds: 1, nanos: 2 };
const RETRY_INFO_TYPE = "type.googleapis.com/google.rpc.RetryInfo";
const MAX_MESSAGE = 300;

/** An answer to a request that was taken. One that cannot be read is as good as an empty one. */
export function parseTaken(body: Uint8Array, isJson: boolean): Delivery {
  return parsed(() => isJson ? takenOfJson(body) : takenOfProtobuf(body)) ??
    { kind: "taken", refusedPoints: 0, message: "" };
}

function takenOfProtobuf(body: Uint8Array): Delivery {
  const partial = bytesOf(body, PARTIAL_SUCCESS.message);
  return {
    kind: "taken",
    refusedPoints: numberOf(partial, PARTIAL_SUCCESS.refused),
    message: shortText(textOf(partial, PARTIAL_SUCCESS.text)),
  };
}

function takenOfJson(body: Uint8Array): Delivery {
  const { partialSuccess } = JSON.parse(new TextDecoder().decode(body) || "{}");
  return {
    kind: "taken",
    refusedPoints: Number(partialSuccess?.rejectedDataPoints ?? 0),
    message: shortText(String(partialSuccess?.errorMessage ?? "")),
  };
}

/** The message of a google.rpc.Status, or the text that is there instead. */
export function parseStatusMessage(body: Uint8Array, contentType: string): string {
  if (contentType.startsWith("application/x-protobuf")) {
    return shortText(parsed(() => textOf(body, STATUS.message)) ?? "");
  }
  const text = new TextDecoder().decode(body);
  if (!contentType.startsWith("application/json")) return shortText(text);
  return shortText(parsed(() => String(JSON.parse(text).message ?? "")) ?? text);
}

/** When to try again, of gRPC's `grpc-status-details-bin`; undefined if it does not say. */
export function parseRetryDelayMs(details: Uint8Array): number | undefined {
  return parsed(() => {
    for (const { field, bytes } of readFields(details)) {
      if (field !== STATUS.details || textOf(bytes, ANY.type) !== RETRY_INFO_TYPE) continue;
      const delay = bytesOf(bytesOf(bytes, ANY.value), RETRY_INFO.delay);
      return numberOf(delay, DURATION.seconds) * 1000 + numberOf(delay, DURATION.nanos) / 1e6;
    }
    return undefined;
  });
}

/** HTTP's Retry-After: seconds, or a date. */
export function parseRetryAfterMs(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined;
  if (/^\s*[0-9]+\s*$/.test(text)) return Number(text) * 1000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (
      error instanceof FormatError || error instanceof SyntaxError || error instanceof TypeError
    ) {
      return undefined;
    }
    throw error;
  }
}

/** A stranger's text, for one line. */
export function shortText(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line;
}
