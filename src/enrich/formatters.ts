/** Field formatters: the text of every field that has a text format. */

import {
  type Field,
  type FieldFormatter,
  type FieldKind,
  type FieldValue,
  readField,
  type RecordBytes,
  type TextFormat,
} from "../decode/mod.ts";
import { createAccountNames } from "./account_names.ts";
import { endpointText, ipText, ipv4Text, protocolText } from "./addresses.ts";
import { createBootToWall } from "./boot_clock.ts";
import { cached } from "./bounded_cache.ts";
import { createEnumText } from "./enum_text.ts";
import type { EnrichEnvironment } from "./environment.ts";
import { errnoText } from "./errno_names.ts";
import { createFileFlagsText, fileModeText } from "./file_modes.ts";
import { bytesText, durationText } from "./quantities.ts";
import { signalText } from "./signal_names.ts";
import { syscallNames } from "./syscall_names.ts";
import { createTimeText, ISO_NS_LAYOUT } from "./time_layout.ts";
import { valueToText } from "../decode/mod.ts";

type ScalarText = (value: number | bigint) => string;

/**
 * One formatter for each field that has a `format`.
 *
 * Formatters never throw for data: what has no name stays a number, what is absent is "".
 * Cost: building reads nothing; accounts and clocks are read at first use.
 */
export function createFormatters(
  fields: readonly Field[],
  environment: EnrichEnvironment,
): Map<Field, FieldFormatter> {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const textOf = createScalarTexts(environment);
  const formatters = new Map<Field, FieldFormatter>();
  for (const field of fields) {
    const format = field.format;
    if (format === undefined) continue;
    if (format.type === "ip_addr") formatters.set(field, addressFormatter(field, byName));
    else if (format.type === "l4_endpoint") formatters.set(field, endpointFormatter(field, byName));
    else formatters.set(field, scalarFormatter(field, textOf(format, field)));
  }
  return formatters;
}

function scalarFormatter(field: Field, toText: ScalarText): FieldFormatter {
  const show = (value: FieldValue): string => {
    if (typeof value === "number" || typeof value === "bigint") return toText(value);
    if (typeof value === "boolean") return toText(Number(value));
    if (typeof value === "string" || value instanceof Uint8Array) return valueToText(value);
    return value.map(show).join(",");
  };
  return (record) => show(readField(field, record));
}

/** Everything fields may share (tables, account files, clocks) is made once per call. */
function createScalarTexts(
  environment: EnrichEnvironment,
): (format: TextFormat, field: Field) => ScalarText {
  const { files, architecture } = environment;
  const account = (path: string, prefix: string): ScalarText => {
    const nameOf = createAccountNames({ path, files, nowMs: () => environment.nowMs() });
    return (id) => nameOf(Number(id)) ?? `${prefix}:${id}`;
  };
  const uid = account("/etc/passwd", "uid");
  const gid = account("/etc/group", "gid");
  const bootToWall = createBootToWall(() => environment.readClocks());
  const flags = cached(createFileFlagsText(architecture));
  const mode = cached(fileModeText);
  const size = cached(bytesText);
  const duration = cached(durationText);

  return (format, field) => {
    switch (format.type) {
      case "enum": {
        const toText = createEnumText({ ...format, sizeBits: kindBits(field.kind) });
        return cached((value) => toText(BigInt(value)));
      }
      case "timestamp": {
        const { layout = ISO_NS_LAYOUT } = format;
        const toText = createTimeText(layout, (epochMs) => environment.zoneMinutesAt(epochMs));
        return (bootNs) => Number(bootNs) === 0 ? "" : toText(bootToWall(BigInt(bootNs)));
      }
      case "errno":
        return (value) => errnoText(int32(value));
      case "signal":
        return (value) => signalText(Number(value));
      case "syscall":
        return createSyscallText(syscallNames(architecture));
      case "uid":
        return uid;
      case "gid":
        return gid;
      case "bytes":
        return size;
      case "duration":
        return duration;
      case "file_mode":
        return (value) => mode(Number(value));
      case "file_flags":
        return (value) => flags(int32(value) >>> 0);
      case "l4_proto":
        return (value) => protocolText(Number(value));
      case "kernel_stack":
        return (id) => environment.kernelStack?.(Number(id)) ?? String(id);
      case "ip_addr":
      case "l4_endpoint":
        throw new Error(`BUG: ${format.type} of field ${field.name} is no scalar`);
    }
  };
}

/** Not the storage's width: a bitfield may lie in fewer bytes than its kind has. */
function kindBits(kind: FieldKind): number {
  return Number(/\d+$/.exec(kind)?.[0] ?? 64);
}

/** The low 32 bits, signed: what a C `int` keeps of a return value stored in any width. */
function int32(value: number | bigint): number {
  return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value));
}

function createSyscallText(names: ReadonlyMap<number, string>): ScalarText {
  return (value) => names.get(Number(value)) ?? `SYS_${BigInt.asIntN(64, BigInt(value))}`;
}

function readNumber(field: Field | undefined, record: RecordBytes): number {
  if (field === undefined) return 0;
  const value = readField(field, record);
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : 0;
}

/** Bytes of a field in place: valid until the record moves on. */
function viewBytes(field: Field, record: RecordBytes): Uint8Array {
  const segment = record.segments[field.segment];
  if (segment === undefined) throw new Error(`BUG: record without segment of ${field.name}`);
  const start = segment.byteOffset + record.offsets[field.segment] + field.offsetBytes;
  return new Uint8Array(segment.buffer, start, field.sizeBytes);
}

function childName(parent: string, leaf: string): string {
  return parent === "" ? leaf : `${parent}.${leaf}`;
}

/**
 * An address is told from its version; without one there is no telling. The version lies inside
 * (an l3 endpoint as a whole) or beside it (its `addr_raw`).
 */
function addressFormatter(field: Field, byName: ReadonlyMap<string, Field>): FieldFormatter {
  const inside = byName.get(childName(field.name, "version"));
  const version = inside ?? byName.get(childName(field.parent, "version"));
  const address = inside && byName.get(childName(field.name, "addr_raw")) || field;
  return (record) => addressText({ address, version, record });
}

const ipv4FromWord = cached((word: number) =>
  ipv4Text(Uint8Array.of(word >>> 24, (word >> 16) & 255, (word >> 8) & 255, word & 255))
);

function addressText(
  { address, version, record }: { address: Field; version?: Field; record: RecordBytes },
): string {
  const ipVersion = readNumber(version, record);
  const bytes = viewBytes(address, record);
  if (ipVersion !== 4) return ipText(bytes, ipVersion);
  return ipv4FromWord((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]);
}

/** The endpoint's members are children of the field itself, or its siblings in the struct. */
function endpointFormatter(field: Field, byName: ReadonlyMap<string, Field>): FieldFormatter {
  const base = [field.name, field.parent].find((name) => byName.has(childName(name, "port")));
  if (base === undefined) return () => "";
  const member = (leaf: string) => byName.get(childName(base, leaf));
  const address = member("addr_raw") ?? member("addr");
  const port = member("port");
  const version = member("version");
  if (address === undefined) return () => "";
  return (record) =>
    endpointText(addressText({ address, version, record }), readNumber(port, record));
}
