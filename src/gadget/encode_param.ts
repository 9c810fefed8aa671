/** Text of a parameter ↔ bytes of its variable. */

import { UsageError } from "../errors.ts";
import { suggestName } from "../text/mod.ts";
import { parseL3Endpoint } from "./ip_address.ts";
import type { ParamSpec } from "./spec.ts";

/**
 * Encodes the value of a parameter as the bytes of its variable, little endian.
 *
 * Throws: UsageError for text that is not of the parameter's kind, and for numbers out of range.
 */
export function encodeParam(param: ParamSpec, text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(param.sizeBytes);
  const view = new DataView(bytes.buffer);
  if (param.format === "ip_addr") {
    const address = parseL3Endpoint(text.trim(), param.sizeBytes);
    if (address === undefined) throw valueError(param, text, "an IPv4 or IPv6 address");
    bytes.set(address);
    return bytes;
  }
  switch (param.kind) {
    case "bool":
      bytes[0] = parseBool(param, text) ? 1 : 0;
      return bytes;
    case "float32":
      view.setFloat32(0, parseFloat64(param, text), true);
      return bytes;
    case "float64":
      view.setFloat64(0, parseFloat64(param, text), true);
      return bytes;
    case "cstring":
      encodeString(param, text, bytes);
      return bytes;
    default:
      writeInteger(view, parseInteger(param, text));
      return bytes;
  }
}

/** Text form of the bytes of a variable: what `encodeParam` turns into the same bytes. */
export function decodeParam(param: Omit<ParamSpec, "defaultValue">, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (param.format === "ip_addr") return formatL3Endpoint(bytes);
  switch (param.kind) {
    case "bool":
      return String(bytes[0] === 1);
    case "float32":
      return String(view.getFloat32(0, true));
    case "float64":
      return String(view.getFloat64(0, true));
    case "cstring":
      return new TextDecoder().decode(bytes.subarray(0, endOfString(bytes)));
    default: {
      const value = readInteger(view, isSigned(param));
      return param.enumerators?.find((candidate) => candidate.value === value)?.name ??
        String(value);
    }
  }
}

function parseBool(param: ParamSpec, text: string): boolean {
  const word = text.trim().toLowerCase();
  if (word === "true" || word === "1") return true;
  if (word === "false" || word === "0") return false;
  throw valueError(param, text, "true or false");
}

function parseFloat64(param: ParamSpec, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw valueError(param, text, "a number");
  return value;
}

function encodeString(param: ParamSpec, text: string, bytes: Uint8Array): void {
  const encoded = new TextEncoder().encode(text);
  // The last byte stays NUL: programs compare and print it as a C string.
  if (encoded.length >= bytes.length || encoded.includes(0)) {
    throw valueError(param, text, `at most ${bytes.length - 1} bytes of text without NUL`);
  }
  bytes.set(encoded);
}

function parseInteger(param: ParamSpec, text: string): bigint {
  const trimmed = text.trim();
  const enumerator = param.enumerators?.find(({ name }) => name === trimmed);
  if (enumerator !== undefined) return enumerator.value;
  const bits = param.sizeBytes * 8;
  const min = isSigned(param) ? -(1n << BigInt(bits - 1)) : 0n;
  const max = isSigned(param) ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  const match = /^([+-]?)(\d+|0x[0-9a-f]+)$/i.exec(trimmed);
  const value = match && BigInt(match[2]) * (match[1] === "-" ? -1n : 1n);
  if (value !== null && value >= min && value <= max) return value;
  const names = param.enumerators?.map(({ name }) => name) ?? [];
  throw valueError(
    param,
    text,
    `${names.length > 0 ? "a name or " : ""}an integer from ${min} to ${max}`,
    names.length > 0 ? suggestName(trimmed, names, "names") : undefined,
  );
}

function isSigned(param: Pick<ParamSpec, "kind">): boolean {
  return param.kind.startsWith("int");
}

function writeInteger(view: DataView, value: bigint): void {
  for (let index = 0; index < view.byteLength; index++) {
    view.setUint8(index, Number(BigInt.asUintN(8, value >> BigInt(8 * index))));
  }
}

function readInteger(view: DataView, signed: boolean): bigint {
  let value = 0n;
  for (let index = view.byteLength - 1; index >= 0; index--) {
    value = (value << 8n) | BigInt(view.getUint8(index));
  }
  return signed ? BigInt.asIntN(view.byteLength * 8, value) : value;
}

function formatL3Endpoint(bytes: Uint8Array): string {
  if (bytes[16] !== 6) return bytes.subarray(0, 4).join(".");
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[2 * index] << 8) | bytes[2 * index + 1]).toString(16),
  );
  return groups.join(":");
}

function endOfString(bytes: Uint8Array): number {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
}

function valueError(
  param: Pick<ParamSpec, "key" | "variable">,
  text: string,
  ...[expected, hint]: [string, string?]
): UsageError {
  return new UsageError(
    `Cannot set --${param.key} to ${JSON.stringify(text)}: expected ${expected}`,
    { hint: hint ?? `--${param.key} sets the variable "${param.variable}" of the gadget` },
  );
}
