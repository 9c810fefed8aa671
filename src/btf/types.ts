/**
 * BTF types as plain data. Type ids index `Btf.types`; id 0 is `void`.
 *
 * Source: Linux `include/uapi/linux/btf.h` and `Documentation/bpf/btf.rst`.
 */

/** Index of a type; 0 is void. */
export type TypeId = number;

/** Member of a struct or union. */
export interface BtfMember {
  /** "" for an anonymous struct or union. */
  readonly name: string;
  readonly type: TypeId;
  /** From the start of the enclosing type. */
  readonly offsetBits: number;
  /** 0 unless a bitfield. */
  readonly bitSize: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface BtfVoid {
  readonly kind: "void";
  readonly name: "";
}
export interface BtfInt {
  readonly kind: "int";
  readonly name: string;
  readonly sizeBytes: number;
  readonly bits: number;
  /** Bit offset within the storage (old compilers' bitfields). */
  readonly bitOffset: number;
  readonly encoding: "unsigned" | "signed" | "char" | "bool";
}
export interface BtfFloat {
  readonly kind: "float";
  readonly name: string;
  readonly sizeBytes: number;
}
export interface BtfPointer {
  readonly kind: "ptr";
  readonly name: "";
  readonly type: TypeId;
}
export interface BtfArray {
  readonly kind: "array";
  readonly name: "";
  readonly element: TypeId;
  readonly index: TypeId;
  readonly length: number;
}
export interface BtfComposite {
  readonly kind: "struct" | "union";
  readonly name: string;
  readonly sizeBytes: number;
  readonly members: readonly BtfMember[];
}
/** BTF_KIND_ENUM and BTF_KIND_ENUM64. */
export interface BtfEnum {
  readonly kind: "enum";
  readonly name: string;
  readonly sizeBytes: number;
  readonly signed: boolean;
  readonly enumerators: readonly BtfEnumerator[];
}
export interface BtfForward {
  readonly kind: "fwd";
  readonly name: string;
}
/** Named or unnamed modifiers: `typedef`, `const`, `volatile`, `restrict`, `type_tag`. */
export interface BtfModifier {
  readonly kind: "typedef" | "const" | "volatile" | "restrict" | "type_tag";
  readonly name: string;
  readonly type: TypeId;
}
export interface BtfFunction {
  readonly kind: "func";
  readonly name: string;
  readonly type: TypeId;
}
export interface BtfFunctionPrototype {
  readonly kind: "func_proto";
  readonly name: "";
  readonly result: TypeId;
  readonly params: readonly { readonly name: string; readonly type: TypeId }[];
}
export interface BtfVar {
  readonly kind: "var";
  readonly name: string;
  readonly type: TypeId;
  readonly linkage: "static" | "global" | "extern";
}
/** A section such as `.rodata`. Offsets and sizes are in bytes, offsets are 0 before libbpf fixes them up. */
export interface BtfDataSection {
  readonly kind: "datasec";
  readonly name: string;
  readonly sizeBytes: number;
  readonly variables: readonly {
    readonly type: TypeId;
    readonly offsetBytes: number;
    readonly sizeBytes: number;
  }[];
}
export interface BtfDeclTag {
  readonly kind: "decl_tag";
  readonly name: string;
  readonly type: TypeId;
  readonly component: number;
}

export type BtfType =
  | BtfVoid
  | BtfInt
  | BtfFloat
  | BtfPointer
  | BtfArray
  | BtfComposite
  | BtfEnum
  | BtfForward
  | BtfModifier
  | BtfFunction
  | BtfFunctionPrototype
  | BtfVar
  | BtfDataSection
  | BtfDeclTag;
