/** All types of one `.BTF` section: lookup by id and name, resolution of typedefs, sizes. */

import { FormatError } from "../errors.ts";
import { type BtfSections, decodeRecord, KIND, recordError, recordKind } from "./_type_record.ts";
import type { BtfModifier, BtfType, TypeId } from "./types.ts";

/** A typedef chain longer than this is taken for a loop; C code stays below ten. */
const CHAIN_MAX = 64;
const POINTER_BYTES = 8;
const SIZE_MAX_BYTES = 0xffff_ffff;
const VOID: BtfType = { kind: "void", name: "" };

/** What a type is below its typedefs and qualifiers. */
export interface ResolvedType {
  readonly id: TypeId;
  readonly type: Exclude<BtfType, BtfModifier>;
  /** Names met on the way, outermost first: typedefs, then the type itself unless anonymous. */
  readonly names: readonly string[];
}

/** The types of one object or kernel. Made by `parseBtf`. */
export class Btf {
  readonly #sections: BtfSections;
  readonly #offsets: Uint32Array;
  readonly #decoded = new Map<TypeId, BtfType>();
  #types: readonly BtfType[] | undefined;

  /** `offsets[id]` is where a checked record begins in the type section; `offsets[0]` is unused. */
  constructor(sections: BtfSections, offsets: Uint32Array) {
    this.#sections = sections;
    this.#offsets = offsets;
  }

  /** Number of types, void included: valid ids are below it. */
  get typeCount(): number {
    return this.#offsets.length;
  }

  /** All types, index = id. Cost: decodes everything at first use; for kernel BTF prefer `idsOfKind`. */
  get types(): readonly BtfType[] {
    this.#types ??= Array.from({ length: this.typeCount }, (_, id) => this.type(id));
    return this.#types;
  }

  /** Throws: FormatError if there is no such id, or its record is broken. */
  type(id: TypeId): BtfType {
    const known = this.#decoded.get(id);
    if (known !== undefined) return known;
    const type = id === 0 ? VOID : decodeRecord(this.#sections, { id, offset: this.#offsetOf(id) });
    this.#decoded.set(id, type);
    return type;
  }

  /** Ids of all types of a kind, ascending. Cost: reads one word per type, decodes nothing. */
  *idsOfKind(kind: BtfType["kind"]): Generator<TypeId> {
    if (kind === "void") {
      yield 0;
      return;
    }
    const wanted = KIND[kind];
    const also = kind === "enum" ? KIND.enum64 : wanted;
    for (let id = 1; id < this.#offsets.length; id++) {
      const found = recordKind(this.#sections.types, this.#offsets[id]);
      if (found === wanted || found === also) yield id;
    }
  }

  /** First type of that kind and exact name. Cost: compares bytes, decodes nothing. */
  findByName(kind: BtfType["kind"], name: string): TypeId | undefined {
    const wanted = new TextEncoder().encode(name);
    for (const id of this.idsOfKind(kind)) {
      if (id !== 0 && this.#hasName(id, wanted)) return id;
    }
    return undefined;
  }

  /** Skips typedef, const, volatile, restrict and type_tag. Throws: FormatError for a loop of them. */
  resolve(id: TypeId): ResolvedType {
    const names: string[] = [];
    let current = id;
    for (let step = 0; step <= CHAIN_MAX; step++) {
      const type = this.type(current);
      switch (type.kind) {
        case "typedef":
          names.push(type.name);
          current = type.type;
          break;
        case "const":
        case "volatile":
        case "restrict":
        case "type_tag":
          current = type.type;
          break;
        default:
          if (type.name !== "") names.push(type.name);
          return { id: current, type, names };
      }
    }
    throw this.error(id, `typedefs and qualifiers do not end after ${CHAIN_MAX} steps`);
  }

  /** Size in bytes of a value of that type. Throws: FormatError for types without one, and loops. */
  sizeOf(id: TypeId): number {
    let current = id;
    let count = 1;
    for (let step = 0; step <= CHAIN_MAX; step++) {
      const resolved = this.resolve(current);
      const type = resolved.type;
      switch (type.kind) {
        case "array":
          count *= type.length;
          current = type.element;
          break;
        case "var":
          current = type.type;
          break;
        case "int":
        case "float":
        case "enum":
        case "struct":
        case "union":
        case "datasec":
          return this.#checkedSize(id, count * type.sizeBytes);
        case "ptr":
          return this.#checkedSize(id, count * POINTER_BYTES);
        default:
          throw this.error(resolved.id, `a ${type.kind} has no size`);
      }
    }
    throw this.error(id, `arrays do not end after ${CHAIN_MAX} dimensions`);
  }

  /** A FormatError about a type, with its id and byte offset. */
  error(id: TypeId, what: string): FormatError {
    if (id === 0) return new FormatError(`BTF type 0 (void): ${what}`);
    return recordError(this.#sections, { id, offset: this.#offsetOf(id) }, what);
  }

  #offsetOf(id: TypeId): number {
    const offset = this.#offsets[id];
    if (id > 0 && offset !== undefined) return offset;
    throw new FormatError(`BTF has no type ${id}, ids end at ${this.typeCount - 1}`);
  }

  #checkedSize(id: TypeId, sizeBytes: number): number {
    if (sizeBytes <= SIZE_MAX_BYTES) return sizeBytes;
    throw this.error(id, `a size of ${sizeBytes} bytes is absurd`);
  }

  #hasName(id: TypeId, wanted: Uint8Array): boolean {
    const { types, strings } = this.#sections;
    const start = types.getUint32(this.#offsets[id], true);
    for (let i = 0; i < wanted.length; i++) {
      if (strings[start + i] !== wanted[i]) return false;
    }
    return strings[start + wanted.length] === 0;
  }
}
