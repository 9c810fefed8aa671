/** A C type → the fields of its values. */

import type { Btf, BtfComposite, BtfMember, TypeId } from "../btf/mod.ts";
import { FormatError } from "../errors.ts";
import {
  bitfieldShape,
  type BitPlace,
  bitPlace,
  peel,
  type Peeled,
  type ValueShape,
  wholeShape,
} from "./_value_shape.ts";
import type { Field, TextFormat } from "./field.ts";
import { initialAnnotations } from "./templates.ts";
import { addTextFields, containerFormat, hideField, scalarFormat } from "./text_fields.ts";

/** Bounds what a small hostile BTF can make us do: unions nested in unions grow as 2^depth. */
const MEMBERS_MAX = 8192;
const DEPTH_MAX = 32;
const RECORD_MAX_BYTES = 1 << 28;

const ENDPOINT_TYPES = ["gadget_l3endpoint_t", "gadget_l4endpoint_t"];
/** Structs that only group: their children have short names in columns. */
const GROUP_TYPES = ["gadget_process", "gadget_creds"];
const HIDDEN_TYPES = ["gadget_mntns_id", "gadget_netns_id", "gadget_user_stack"];

export interface DeriveOptions {
  /** Memory block of the record: 0 = event or map key, 1 = map value. */
  readonly segment: 0 | 1;
  /** Tags that every field gets, for example `role:key`. */
  readonly extraTags?: readonly string[];
  /** Name of the only field of a type that is no struct; default `key` or `value` by segment. */
  readonly scalarName?: string;
}

export interface DerivedFields {
  /** In the order of the C members; children follow their parent, text fields their raw field. */
  readonly fields: Field[];
  readonly sizeBytes: number;
}

/**
 * Derives the fields of a type. Structs and unions become a container field (kind `bytes`) and
 * children named `parent.child`; members of anonymous ones belong to the enclosing parent. Members
 * named `__…`, flexible arrays and unnamed padding are left out. Every field lies within the record.
 * A variable stands for its type; a type without bytes has no fields.
 *
 * Throws: FormatError for types that contradict themselves; UnsupportedError for bitfields across
 * more than 8 bytes.
 */
export function deriveFields(btf: Btf, id: TypeId, options: DeriveOptions): DerivedFields {
  const root = btf.type(id);
  const typeId = root.kind === "var" ? root.type : id;
  const sizeBytes = btf.sizeOf(typeId);
  if (sizeBytes > RECORD_MAX_BYTES) {
    throw btf.error(typeId, `a record of ${sizeBytes} bytes is absurd`);
  }
  const walk: Walk = {
    btf,
    options,
    recordSizeBytes: sizeBytes,
    fields: new Map(),
    depth: 0,
    memberCount: 0,
  };
  const { type } = btf.resolve(typeId);
  if (type.kind === "struct" || type.kind === "union") {
    const enclosure = { id: typeId, parent: "", offsetBits: 0, role: roleOf(peel(btf, typeId)) };
    addMembers(walk, type, enclosure);
  } else if (sizeBytes > 0) {
    const name = options.scalarName ?? (options.segment === 0 ? "key" : "value");
    const peeled = peel(btf, typeId);
    const bits = bitPlace(peeled, { offsetBits: 0, bitSize: 0 });
    const enclosure = { id: typeId, parent: "", offsetBits: 0, role: "plain" as const };
    addValue(walk, { name, peeled, offsetBits: 0, sizeBytes, bits, enclosure });
  }
  return { fields: addTextFields([...walk.fields.values()]), sizeBytes };
}

interface Walk {
  readonly btf: Btf;
  readonly options: DeriveOptions;
  readonly recordSizeBytes: number;
  /** By full name. */
  readonly fields: Map<string, Field>;
  depth: number;
  /** Visited so far, left out ones included. */
  memberCount: number;
}

/** The struct or union whose members are being added. */
interface Enclosure {
  readonly id: TypeId;
  /** Full name of the field that the members belong to; "" at the top. */
  readonly parent: string;
  readonly offsetBits: number;
  readonly role: "plain" | "endpoint" | "group" | "parent process";
}

interface Value {
  /** C member. */
  readonly name: string;
  readonly peeled: Peeled;
  readonly offsetBits: number;
  readonly sizeBytes: number;
  readonly bits: BitPlace | undefined;
  readonly enclosure: Enclosure;
}

function addMembers(walk: Walk, type: BtfComposite, enclosure: Enclosure): void {
  if (walk.depth >= DEPTH_MAX) {
    throw walk.btf.error(enclosure.id, `structs do not end after ${DEPTH_MAX} levels`);
  }
  walk.depth++;
  for (const member of type.members) addMember(walk, { type, member, enclosure });
  walk.depth--;
}

function addMember(
  walk: Walk,
  at: { type: BtfComposite; member: BtfMember; enclosure: Enclosure },
): void {
  const { member, enclosure } = at;
  if (++walk.memberCount > MEMBERS_MAX) {
    throw walk.btf.error(enclosure.id, `more than ${MEMBERS_MAX} members in one record`);
  }
  if (member.name.startsWith("__")) return;
  const sizeBytes = walk.btf.sizeOf(member.type);
  const peeled = peel(walk.btf, member.type);
  const offsetBits = enclosure.offsetBits + member.offsetBits;
  const bits = bitPlace(peeled, { offsetBits, bitSize: member.bitSize });
  checkPlace(walk, { ...at, peeled, sizeBytes, bits });
  if (sizeBytes === 0) return;
  if (member.name !== "") {
    addValue(walk, { name: member.name, peeled, offsetBits, sizeBytes, bits, enclosure });
  } else if (isComposite(peeled)) {
    addMembers(walk, peeled.type, { ...enclosure, id: peeled.id, offsetBits });
  }
}

function isComposite(peeled: Peeled): peeled is Peeled & { readonly type: BtfComposite } {
  return peeled.lengths.length === 0 &&
    (peeled.type.kind === "struct" || peeled.type.kind === "union");
}

/** A member must lie within its struct: nothing read later is checked again. */
function checkPlace(
  walk: Walk,
  at: {
    type: BtfComposite;
    member: BtfMember;
    enclosure: Enclosure;
    peeled: Peeled;
    sizeBytes: number;
    bits: BitPlace | undefined;
  },
): void {
  const { member, bits, sizeBytes, type } = at;
  const what = `member ${JSON.stringify(member.name)}`;
  const startBits = (bits?.offsetBits ?? at.enclosure.offsetBits + member.offsetBits) -
    at.enclosure.offsetBits;
  const endBits = startBits + (bits?.bitSize ?? sizeBytes * 8);
  if (endBits > type.sizeBytes * 8) {
    throw walk.btf.error(
      at.enclosure.id,
      `${what} ends at bit ${endBits}, its ${type.kind} at bit ${type.sizeBytes * 8}`,
    );
  }
  if (bits === undefined) {
    if (startBits % 8 === 0) return;
    throw walk.btf.error(at.enclosure.id, `${what} is no bitfield but begins at bit ${startBits}`);
  }
  const isInteger = at.peeled.type.kind === "int" || at.peeled.type.kind === "enum";
  if (!isInteger || at.peeled.lengths.length > 0 || bits.bitSize > sizeBytes * 8) {
    throw walk.btf.error(
      at.enclosure.id,
      `${what} is a bitfield of ${bits.bitSize} bits in a ${at.peeled.type.kind} of ` +
        `${sizeBytes} bytes`,
    );
  }
}

function addValue(walk: Walk, value: Value): void {
  const { peeled, enclosure } = value;
  const name = enclosure.parent === "" ? value.name : `${enclosure.parent}.${value.name}`;
  const shape: ValueShape = value.bits === undefined
    ? wholeShape(peeled, { offsetBytes: value.offsetBits / 8, sizeBytes: value.sizeBytes })
    : bitfieldShape(peeled.type, value.bits, { name, recordSizeBytes: walk.recordSizeBytes });
  const isContainer = isComposite(peeled);
  const format = formatOf(value, shape);
  const annotations: Record<string, string> = { ...initialAnnotations(peeled.names) };
  if (enclosure.role === "group") annotations["columns.alias"] = value.name;
  if (enclosure.role === "parent process") annotations["columns.alias"] = `p${value.name}`;
  const field: Field = {
    name,
    ...shape,
    segment: walk.options.segment,
    parent: enclosure.parent,
    tags: [
      ...peeled.names.map((typeName) => `type:${typeName}`),
      `name:${value.name}`,
      "src:ebpf",
      ...walk.options.extraTags ?? [],
    ],
    annotations,
    ...(format === undefined ? {} : { format }),
    hidden: annotations["columns.hidden"] === "true",
  };
  const hidden = enclosure.role === "endpoint" || (isContainer && format === undefined) ||
    peeled.names.some((typeName) => HIDDEN_TYPES.includes(typeName));
  addField(walk, hidden ? hideField(field) : field);
  if (!isContainer) return;
  addMembers(walk, peeled.type, {
    id: peeled.id,
    parent: name,
    offsetBits: value.offsetBits,
    // What is inside the address of an endpoint is as much a detail as the address itself.
    role: enclosure.role === "endpoint" || peeled.names.includes("gadget_ip_addr_t")
      ? "endpoint"
      : roleOf(peeled),
  });
}

function addField(walk: Walk, field: Field): void {
  if (walk.fields.has(field.name)) {
    throw new FormatError(`BTF has two members that make the field ${JSON.stringify(field.name)}`);
  }
  walk.fields.set(field.name, field);
}

function roleOf(peeled: Peeled): Enclosure["role"] {
  if (peeled.names.some((name) => ENDPOINT_TYPES.includes(name))) return "endpoint";
  if (peeled.names.includes("gadget_parent")) return "parent process";
  return peeled.names.some((name) => GROUP_TYPES.includes(name)) ? "group" : "plain";
}

function formatOf(value: Value, shape: ValueShape): TextFormat | undefined {
  const { peeled, enclosure } = value;
  if (isComposite(peeled)) return containerFormat(peeled.names);
  const isScalar = /^u?int(8|16|32|64)$/.test(shape.kind) && shape.arrayLength === 0;
  if (!isScalar) return undefined;
  const isProto = enclosure.role === "endpoint" && /^proto(_raw)?$/.test(value.name);
  return isProto ? { type: "l4_proto" } : scalarFormat(peeled.names, peeled.type);
}
