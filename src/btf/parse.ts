/** Bytes of a `.BTF` section → `Btf`. The bytes are untrusted: nothing is read that was not checked. */

import { FormatError, UnsupportedError } from "../errors.ts";
import {
  type BtfSections,
  checkReferences,
  HEADER_BYTES,
  recordError,
  recordKind,
  recordSizeBytes,
} from "./_type_record.ts";
import { Btf } from "./btf.ts";

const MAGIC = 0xeb9f;
const MAGIC_SWAPPED = 0x9feb;
const VERSION = 1;
const FILE_HEADER_BYTES = 24;
/** The kernel's own limit (`BTF_MAX_TYPE`). */
const TYPES_MAX = 0x0fffff;

/**
 * Parses the raw bytes of a `.BTF` section, or of `/sys/kernel/btf/vmlinux`.
 *
 * Ownership: keeps `bytes`, which must not change afterwards.
 * Throws: FormatError for broken bytes; UnsupportedError for big endian and kinds newer than ENUM64.
 * Cost: one pass over all types; names and members are decoded when asked for.
 */
export function parseBtf(bytes: Uint8Array): Btf {
  const sections = locateSections(bytes);
  const offsets = scanTypes(sections);
  for (let id = 1; id < offsets.length; id++) {
    checkReferences(sections, { id, offset: offsets[id], typeCount: offsets.length });
  }
  return new Btf(sections, offsets);
}

function locateSections(bytes: Uint8Array): BtfSections {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkMagic(view);
  if (bytes.length < FILE_HEADER_BYTES) {
    throw new FormatError(
      `BTF is ${bytes.length} bytes long, its header needs ${FILE_HEADER_BYTES}`,
      { offset: 0 },
    );
  }
  const version = view.getUint8(2);
  if (version !== VERSION) {
    throw new UnsupportedError(`BTF version ${version}, wanted ${VERSION}`, {
      feature: `BTF version ${version}`,
      hint: "compile the object with an older clang, or update kmeter",
    });
  }
  const headerBytes = view.getUint32(4, true);
  if (headerBytes < FILE_HEADER_BYTES || headerBytes > bytes.length) {
    throw new FormatError(
      `BTF header says it is ${headerBytes} bytes long, the blob has ${bytes.length}`,
      { offset: 4 },
    );
  }
  const types = locate("type", 8);
  const strings = locate("string", 16);
  checkStrings(strings.bytes, strings.offset);
  return {
    types: new DataView(types.bytes.buffer, types.bytes.byteOffset, types.bytes.byteLength),
    strings: strings.bytes,
    typesOffsetBytes: types.offset,
  };

  function locate(what: string, at: number): { bytes: Uint8Array; offset: number } {
    const offset = headerBytes + view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (offset + length > bytes.length) {
      throw new FormatError(
        `BTF ${what} section at byte ${offset} with ${length} bytes ends after the blob's ` +
          `${bytes.length}`,
        { offset: at },
      );
    }
    return { bytes: bytes.subarray(offset, offset + length), offset };
  }
}

function checkMagic(view: DataView): void {
  if (view.byteLength < 2) {
    throw new FormatError(`BTF is ${view.byteLength} bytes long, too short for its magic number`, {
      offset: 0,
    });
  }
  const magic = view.getUint16(0, true);
  if (magic === MAGIC) return;
  if (magic === MAGIC_SWAPPED) {
    throw new UnsupportedError("BTF is big endian, wanted little endian", {
      feature: "big-endian BTF",
      hint: "compile the object with clang -target bpfel",
    });
  }
  throw new FormatError(`BTF begins with 0x${magic.toString(16)}, wanted 0x${MAGIC.toString(16)}`, {
    offset: 0,
  });
}

function checkStrings(strings: Uint8Array, offset: number): void {
  if (strings.length === 0 || strings[0] !== 0 || strings[strings.length - 1] !== 0) {
    throw new FormatError(
      `BTF string section at byte ${offset} must begin and end with a NUL byte`,
      { offset },
    );
  }
}

/** Byte offset of every type record; index 0 is void and has none. */
function scanTypes(sections: BtfSections): Uint32Array {
  const { types } = sections;
  const offsets = new Uint32Array(Math.floor(types.byteLength / HEADER_BYTES) + 1);
  let offset = 0;
  let id = 1;
  while (offset < types.byteLength) {
    const left = types.byteLength - offset;
    if (left < HEADER_BYTES) {
      throw recordError(sections, { id, offset }, `${left} bytes left, a type needs at least 12`);
    }
    if (id > TYPES_MAX) {
      throw recordError(sections, { id, offset }, `more than ${TYPES_MAX} types`);
    }
    const size = recordSizeBytes(types, offset);
    if (size === 0) throw unknownKind(sections, { id, offset });
    if (size > left) {
      throw recordError(sections, { id, offset }, `needs ${size} bytes, ${left} are left`);
    }
    offsets[id++] = offset;
    offset += size;
  }
  return offsets.subarray(0, id);
}

function unknownKind(
  sections: BtfSections,
  at: { id: number; offset: number },
): FormatError | UnsupportedError {
  const kind = recordKind(sections.types, at.offset);
  if (kind === 0) return recordError(sections, at, "kind 0 is no type");
  const offset = sections.typesOffsetBytes + at.offset;
  return new UnsupportedError(`BTF type ${at.id} at byte ${offset}: unknown kind ${kind}`, {
    feature: `BTF kind ${kind}`,
    hint: "compile the object with an older clang, or update kmeter",
  });
}
