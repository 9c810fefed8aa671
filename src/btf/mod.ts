/** BTF: bytes → types. Pure. */

export { Btf, type ResolvedType } from "./btf.ts";
export { parseBtf } from "./parse.ts";
export type {
  BtfArray,
  BtfComposite,
  BtfDataSection,
  BtfDeclTag,
  BtfEnum,
  BtfEnumerator,
  BtfFloat,
  BtfForward,
  BtfFunction,
  BtfFunctionPrototype,
  BtfInt,
  BtfMember,
  BtfModifier,
  BtfPointer,
  BtfType,
  BtfVar,
  BtfVoid,
  TypeId,
} from "./types.ts";
