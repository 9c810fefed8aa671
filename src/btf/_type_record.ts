/**
 * One type record of the BTF type section: its length, its references, its data.
 *
 * Layout: `name_off u32, info u32, size_or_type u32`, then what the kind adds. `info` holds the
 * number of members in bits 0-15, the kind in bits 24-28 and the kind flag in bit 31.
 * Source: Linux `include/uapi/linux/btf.h`.
 */

import { FormatError } from "../errors.ts";
import type {
  BtfArray,
  BtfDataSection,
  BtfInt,
  BtfMember,
  BtfType,
  BtfVar,
  TypeId,
} from "./types.ts";

/** Kind numbers of BTF, in the order of the kernel's header. */
export const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  func_proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  decl_tag: 17,
  type_tag: 18,
  enum64: 19,
} as const;

export const HEADER_BYTES = 12;

const INT_SIGNED = 1;
const INT_CHAR = 2;
const INT_BOOL = 4;
const INT_BITS_MAX = 128;

const LINKAGES = ["static", "global", "extern"] as const;

/** Where the parts of one `.BTF` section lie. Both views start at the section they name. */
export interface BtfSections {
  readonly types: DataView;
  /** Begins and ends with NUL, so that every offset inside is a terminated string. */
  readonly strings: Uint8Array;
  /** Offset of the type section in the whole blob: error messages count from the blob's start. */
  readonly typesOffsetBytes: number;
}

export function recordKind(types: DataView, offset: number): number {
  return (types.getUint32(offset + 4, true) >>> 24) & 0x1f;
}

export function recordCount(types: DataView, offset: number): number {
  return types.getUint32(offset + 4, true) & 0xffff;
}

function recordFlag(types: DataView, offset: number): boolean {
  return types.getUint32(offset + 4, true) >>> 31 === 1;
}

/** Bytes of a record with its header; 0 for an unknown kind. */
export function recordSizeBytes(types: DataView, offset: number): number {
  const count = recordCount(types, offset);
  switch (recordKind(types, offset)) {
    case KIND.int:
    case KIND.var:
    case KIND.decl_tag:
      return HEADER_BYTES + 4;
    case KIND.array:
      return HEADER_BYTES + 12;
    case KIND.struct:
    case KIND.union:
    case KIND.datasec:
    case KIND.enum64:
      return HEADER_BYTES + 12 * count;
    case KIND.enum:
    case KIND.func_proto:
      return HEADER_BYTES + 8 * count;
    case KIND.ptr:
    case KIND.fwd:
    case KIND.typedef:
    case KIND.volatile:
    case KIND.const:
    case KIND.restrict:
    case KIND.func:
    case KIND.float:
    case KIND.type_tag:
      return HEADER_BYTES;
    default:
      return 0;
  }
}

/**
 * Positions (byte offsets in the type section) of a record's type ids and string offsets.
 * A record is a header and a run of equal items, so two strides say it all.
 */
interface ReferenceShape {
  /** True when the header's third word is a type id. */
  readonly headerType: boolean;
  readonly itemBytes: number;
  /** Offsets within an item. */
  readonly itemTypes: readonly number[];
  readonly itemNames: readonly number[];
}

const NO_ITEMS = { itemBytes: 0, itemTypes: [], itemNames: [] } as const;
const PLAIN: ReferenceShape = { headerType: false, ...NO_ITEMS };
const REFERENCE: ReferenceShape = { headerType: true, ...NO_ITEMS };
const COMPOSITE: ReferenceShape = {
  headerType: false,
  itemBytes: 12,
  itemTypes: [4],
  itemNames: [0],
};
const SHAPES: readonly (ReferenceShape | undefined)[] = [
  undefined,
  PLAIN,
  REFERENCE,
  { headerType: false, itemBytes: 12, itemTypes: [0, 4], itemNames: [] },
  COMPOSITE,
  COMPOSITE,
  { headerType: false, itemBytes: 8, itemTypes: [], itemNames: [0] },
  PLAIN,
  REFERENCE,
  REFERENCE,
  REFERENCE,
  REFERENCE,
  REFERENCE,
  { headerType: true, itemBytes: 8, itemTypes: [4], itemNames: [0] },
  REFERENCE,
  { headerType: false, itemBytes: 12, itemTypes: [0], itemNames: [] },
  PLAIN,
  REFERENCE,
  REFERENCE,
  { headerType: false, itemBytes: 12, itemTypes: [], itemNames: [0] },
];

/** Checks every type id and string offset of a record. Throws FormatError. */
export function checkReferences(
  sections: BtfSections,
  at: { id: TypeId; offset: number; typeCount: number },
): void {
  const { types, strings } = sections;
  const kind = recordKind(types, at.offset);
  const shape = SHAPES[kind];
  if (shape === undefined) throw new Error(`BUG: BTF kind ${kind} has no reference shape`);
  checkName(at.offset);
  if (shape.headerType) checkType(at.offset + 8);
  if (shape.itemBytes === 0) return;
  const count = kind === KIND.array ? 1 : recordCount(types, at.offset);
  let item = at.offset + HEADER_BYTES;
  for (let i = 0; i < count; i++, item += shape.itemBytes) {
    for (const position of shape.itemNames) checkName(item + position);
    for (const position of shape.itemTypes) checkType(item + position);
  }

  function checkName(position: number): void {
    const value = types.getUint32(position, true);
    if (value < strings.length) return;
    throw recordError(
      sections,
      { id: at.id, offset: position },
      `string offset ${value} is outside the ${strings.length} bytes of strings`,
    );
  }
  function checkType(position: number): void {
    const value = types.getUint32(position, true);
    if (value < at.typeCount) return;
    throw recordError(
      sections,
      { id: at.id, offset: position },
      `type id ${value} is outside the ${at.typeCount} types`,
    );
  }
}

/** A FormatError that names the type id and the byte offset in the blob. */
export function recordError(
  sections: BtfSections,
  at: { id: TypeId; offset: number },
  what: string,
): FormatError {
  const offset = sections.typesOffsetBytes + at.offset;
  return new FormatError(`BTF type ${at.id} at byte ${offset}: ${what}`, { offset });
}

// Names are data: a byte order mark or invalid UTF-8 must not change or stop anything.
const nameDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What the kernel allows (`KSYM_NAME_LEN`); without a bound, hostile names could cost gigabytes. */
const NAME_MAX_BYTES = 512;

/** Text at `offset` of the string section. Cost: decodes and allocates. Throws FormatError. */
export function decodeName(strings: Uint8Array, offset: number): string {
  if (strings[offset] === 0) return "";
  const bytes = strings.subarray(offset, offset + NAME_MAX_BYTES + 1);
  const length = bytes.indexOf(0);
  if (length >= 0) return nameDecoder.decode(bytes.subarray(0, length));
  throw new FormatError(
    `BTF name at byte ${offset} of the string section is longer than ${NAME_MAX_BYTES} bytes`,
  );
}

/** Decodes the record at `at.offset`, whose extent and references were checked before. Throws FormatError. */
export function decodeRecord(sections: BtfSections, at: { id: TypeId; offset: number }): BtfType {
  const { types, strings } = sections;
  const { offset } = at;
  const name = decodeName(strings, types.getUint32(offset, true));
  const third = types.getUint32(offset + 8, true);
  const kind = recordKind(types, offset);
  switch (kind) {
    case KIND.int:
      return decodeInt(sections, { ...at, name, sizeBytes: third });
    case KIND.float:
      return { kind: "float", name, sizeBytes: third };
    case KIND.ptr:
      return { kind: "ptr", name: "", type: third };
    case KIND.array:
      return decodeArray(types, offset);
    case KIND.struct:
    case KIND.union:
      return {
        kind: kind === KIND.struct ? "struct" : "union",
        name,
        sizeBytes: third,
        members: decodeMembers(sections, at),
      };
    case KIND.enum:
    case KIND.enum64:
      return decodeEnum(sections, { ...at, name, sizeBytes: third });
    case KIND.fwd:
      return { kind: "fwd", name };
    case KIND.typedef:
      return { kind: "typedef", name, type: third };
    case KIND.volatile:
      return { kind: "volatile", name: "", type: third };
    case KIND.const:
      return { kind: "const", name: "", type: third };
    case KIND.restrict:
      return { kind: "restrict", name: "", type: third };
    case KIND.type_tag:
      return { kind: "type_tag", name, type: third };
    case KIND.func:
      return { kind: "func", name, type: third };
    case KIND.func_proto:
      return { kind: "func_proto", name: "", result: third, params: decodeParams(sections, at) };
    case KIND.var:
      return decodeVar(sections, { ...at, name, type: third });
    case KIND.datasec:
      return { kind: "datasec", name, sizeBytes: third, variables: decodeVariables(sections, at) };
    case KIND.decl_tag:
      return { kind: "decl_tag", name, type: third, component: types.getInt32(offset + 12, true) };
    default:
      throw new Error(`BUG: BTF kind ${kind} of type ${at.id} passed the scan`);
  }
}

/** Byte offsets of a record's items. */
function items(sections: BtfSections, at: { offset: number }, itemBytes: number): number[] {
  const count = recordCount(sections.types, at.offset);
  return Array.from({ length: count }, (_, i) => at.offset + HEADER_BYTES + i * itemBytes);
}

function decodeInt(
  sections: BtfSections,
  at: { id: TypeId; offset: number; name: string; sizeBytes: number },
): BtfInt {
  const word = sections.types.getUint32(at.offset + HEADER_BYTES, true);
  const flags = (word >>> 24) & 0xf;
  const bitOffset = (word >>> 16) & 0xff;
  const bits = word & 0xff;
  if (bits === 0 || bits > INT_BITS_MAX || bitOffset + bits > at.sizeBytes * 8) {
    throw recordError(
      sections,
      at,
      `integer of ${bits} bits at bit ${bitOffset} does not fit its ${at.sizeBytes} bytes`,
    );
  }
  const encoding = (flags & INT_BOOL) !== 0
    ? "bool"
    : (flags & INT_CHAR) !== 0
    ? "char"
    : (flags & INT_SIGNED) !== 0
    ? "signed"
    : "unsigned";
  return { kind: "int", name: at.name, sizeBytes: at.sizeBytes, bits, bitOffset, encoding };
}

function decodeArray(types: DataView, offset: number): BtfArray {
  return {
    kind: "array",
    name: "",
    element: types.getUint32(offset + 12, true),
    index: types.getUint32(offset + 16, true),
    length: types.getUint32(offset + 20, true),
  };
}

function decodeMembers(
  sections: BtfSections,
  at: { id: TypeId; offset: number },
): BtfMember[] {
  const { types, strings } = sections;
  const hasBitfields = recordFlag(types, at.offset);
  return items(sections, at, 12).map((item) => {
    const place = types.getUint32(item + 8, true);
    return {
      name: decodeName(strings, types.getUint32(item, true)),
      type: types.getUint32(item + 4, true),
      offsetBits: hasBitfields ? place & 0xffffff : place,
      bitSize: hasBitfields ? place >>> 24 : 0,
    };
  });
}

function decodeEnum(
  sections: BtfSections,
  at: { id: TypeId; offset: number; name: string; sizeBytes: number },
): BtfType {
  const { types, strings } = sections;
  if (![1, 2, 4, 8].includes(at.sizeBytes)) {
    throw recordError(sections, at, `enum of ${at.sizeBytes} bytes, wanted 1, 2, 4 or 8`);
  }
  const is64 = recordKind(types, at.offset) === KIND.enum64;
  const signed = recordFlag(types, at.offset);
  const enumerators = items(sections, at, is64 ? 12 : 8).map((item) => ({
    name: decodeName(strings, types.getUint32(item, true)),
    value: is64 ? value64(item + 4) : value32(item + 4),
  }));
  return { kind: "enum", name: at.name, sizeBytes: at.sizeBytes, signed, enumerators };

  function value32(position: number): bigint {
    return BigInt(signed ? types.getInt32(position, true) : types.getUint32(position, true));
  }
  function value64(position: number): bigint {
    return signed ? types.getBigInt64(position, true) : types.getBigUint64(position, true);
  }
}

function decodeParams(
  sections: BtfSections,
  at: { offset: number },
): { name: string; type: TypeId }[] {
  const { types, strings } = sections;
  return items(sections, at, 8).map((item) => ({
    name: decodeName(strings, types.getUint32(item, true)),
    type: types.getUint32(item + 4, true),
  }));
}

function decodeVar(
  sections: BtfSections,
  at: { id: TypeId; offset: number; name: string; type: TypeId },
): BtfVar {
  const linkage = LINKAGES[sections.types.getUint32(at.offset + HEADER_BYTES, true)];
  if (linkage === undefined) {
    throw recordError(sections, at, `variable ${JSON.stringify(at.name)} has an unknown linkage`);
  }
  return { kind: "var", name: at.name, type: at.type, linkage };
}

function decodeVariables(
  sections: BtfSections,
  at: { offset: number },
): BtfDataSection["variables"] {
  const { types } = sections;
  return items(sections, at, 12).map((item) => ({
    type: types.getUint32(item, true),
    offsetBytes: types.getUint32(item + 4, true),
    sizeBytes: types.getUint32(item + 8, true),
  }));
}
