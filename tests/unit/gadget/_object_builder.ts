/** Builds the BTF, sections and symbols of a made-up object, as clang would write them. */

import { type Btf, parseBtf, type TypeId } from "../../../src/btf/mod.ts";
import type { ObjectData, SymbolPlace } from "../../../src/gadget/params.ts";

const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  func: 12,
  funcProto: 13,
  var: 14,
  datasec: 15,
  float: 16,
} as const;
const INT_ENCODING = { unsigned: 0, signed: 1, char: 2, bool: 4 } as const;
const LINKAGE = { static: 0, global: 1 } as const;

/** Members by name; offsets follow natural alignment. */
type Members = Readonly<Record<string, TypeId>>;

export class ObjectBuilder {
  readonly #words: number[] = [];
  readonly #sizes: number[] = [0];
  #strings = "\0";
  readonly #mapVariables: TypeId[] = [];
  readonly #symbols = new Map<string, SymbolPlace>();
  #rodata: number[] = [];
  readonly #types = new Map<string, TypeId>();

  /** A C type by name: `__u32`, `int`, `char`, `bool`, `double`, or a typedef made before. */
  type(name: string): TypeId {
    const known = this.#types.get(name);
    if (known !== undefined) return known;
    const base = /^__([us])(8|16|32|64)$/.exec(name);
    const id = base !== null
      ? this.typedef(
        name,
        this.#int(`base${name}`, Number(base[2]) / 8, base[1] === "s" ? "signed" : "unsigned"),
      )
      : name === "int"
      ? this.#int("int", 4, "signed")
      : name === "char"
      ? this.#int("char", 1, "signed")
      : name === "bool"
      ? this.#int("_Bool", 1, "bool")
      : name === "unsigned __int128"
      ? this.#int(name, 16, "unsigned")
      : name === "double"
      ? this.#add(name, KIND.float, { sizeOrType: 8 }, 8)
      : undefined;
    if (id === undefined) throw new Error(`no C type ${name}`);
    this.#types.set(name, id);
    return id;
  }

  typedef(name: string, to: TypeId): TypeId {
    const id = this.#add(name, KIND.typedef, { sizeOrType: to }, this.#sizes[to]);
    this.#types.set(name, id);
    return id;
  }

  array(element: TypeId, length: number): TypeId {
    const words = [element, this.type("__u32"), length];
    return this.#add("", KIND.array, { sizeOrType: 0, words }, this.#sizes[element] * length);
  }

  struct(name: string, members: Members): TypeId {
    let sizeBytes = 0;
    const words = Object.entries(members).flatMap(([member, type]) => {
      const alignment = Math.min(8, this.#sizes[type] || 1);
      if (Number.isInteger(Math.log2(alignment))) {
        sizeBytes = Math.ceil(sizeBytes / alignment) * alignment;
      }
      const offsetBits = sizeBytes * 8;
      sizeBytes += this.#sizes[type];
      return [this.#string(member), type, offsetBits];
    });
    const count = Object.keys(members).length;
    return this.#add(name, KIND.struct, { sizeOrType: sizeBytes, count, words }, sizeBytes);
  }

  enum(name: string, enumerators: Readonly<Record<string, number>>): TypeId {
    const words = Object.entries(enumerators).flatMap(([key, value]) => [this.#string(key), value]);
    const count = Object.keys(enumerators).length;
    return this.#add(name, KIND.enum, { sizeOrType: 4, count, words }, 4);
  }

  program(name: string): TypeId {
    const prototype = this.#add("", KIND.funcProto, { sizeOrType: this.type("int") }, 0);
    return this.#add(name, KIND.func, { sizeOrType: prototype, count: 1 }, 0);
  }

  variable(name: string, type: TypeId, linkage: keyof typeof LINKAGE = "global"): TypeId {
    return this.#add(name, KIND.var, { sizeOrType: type, words: [LINKAGE[linkage]] }, 0);
  }

  /** `const void *name;` */
  marker(name: string): this {
    this.variable(name, this.#pointer(this.#add("", KIND.const, { sizeOrType: 0 }, 0)));
    return this;
  }

  /** A map as libbpf's macros declare it. */
  map(
    name: string,
    is: { type: number; key?: TypeId; value?: TypeId; maxEntries?: number; valueSize?: number },
  ): this {
    const number = (value: number) => this.#pointer(this.array(this.type("int"), value));
    const definition = this.struct("", {
      type: number(is.type),
      max_entries: number(is.maxEntries ?? 1024),
      ...(is.key !== undefined && { key: this.#pointer(is.key) }),
      ...(is.value !== undefined && { value: this.#pointer(is.value) }),
      ...(is.valueSize !== undefined && { value_size: number(is.valueSize) }),
    });
    return this.rawMap(name, definition);
  }

  /** A map whose definition is any type. */
  rawMap(name: string, definition: TypeId): this {
    this.#mapVariables.push(this.variable(name, definition));
    return this;
  }

  /** `const volatile type name = bytes; GADGET_PARAM(name);` */
  param(name: string, type: TypeId, bytes: readonly number[] = []): this {
    const volatile = this.#add("", KIND.volatile, { sizeOrType: type }, 0);
    this.variable(name, this.#add("", KIND.const, { sizeOrType: volatile }, 0));
    const sizeBytes = this.#sizes[type];
    const offsetBytes = this.#rodata.length;
    const padding = new Array<number>(sizeBytes - bytes.length).fill(0);
    this.#rodata = [...this.#rodata, ...bytes, ...padding];
    this.#symbols.set(name, { section: ".rodata", offsetBytes, sizeBytes });
    return this.marker(`gadget_param_${name}`);
  }

  build(): ObjectData {
    if (this.#mapVariables.length > 0) {
      const words = this.#mapVariables.flatMap((id) => [id, 0, 32]);
      const count = this.#mapVariables.length;
      this.#add(".maps", KIND.datasec, { sizeOrType: 32 * count, count, words }, 0);
    }
    return {
      btf: this.#parse(),
      sections: new Map([[".rodata", new Uint8Array(this.#rodata)]]),
      symbols: this.#symbols,
    };
  }

  #parse(): Btf {
    const strings = new TextEncoder().encode(this.#strings);
    const typeBytes = this.#words.length * 4;
    const bytes = new Uint8Array(24 + typeBytes + strings.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, true);
    view.setUint8(2, 1);
    const header = [24, 0, typeBytes, typeBytes, strings.length];
    for (const [index, word] of [...header, ...this.#words].entries()) {
      view.setUint32(4 + index * 4, word, true);
    }
    bytes.set(strings, 24 + typeBytes);
    return parseBtf(bytes);
  }

  #int(name: string, sizeBytes: number, encoding: keyof typeof INT_ENCODING): TypeId {
    const words = [(INT_ENCODING[encoding] << 24) | (sizeBytes * 8)];
    return this.#add(name, KIND.int, { sizeOrType: sizeBytes, words }, sizeBytes);
  }

  #pointer(to: TypeId): TypeId {
    return this.#add("", KIND.ptr, { sizeOrType: to }, 8);
  }

  #add(
    name: string,
    kind: number,
    record: { sizeOrType: number; count?: number; words?: readonly number[] },
    ...[sizeBytes]: [number]
  ): TypeId {
    const info = (kind << 24) | (record.count ?? 0);
    this.#words.push(this.#string(name), info, record.sizeOrType, ...record.words ?? []);
    this.#sizes.push(sizeBytes);
    return this.#sizes.length - 1;
  }

  #string(text: string): number {
    if (text === "") return 0;
    const offset = this.#strings.length;
    this.#strings += `${text}\0`;
    return offset;
  }
}

/** `struct event { char name[16]; __s32 count; }` in a ring buffer, data source `events`. */
export function eventsObject(): ObjectBuilder {
  const object = new ObjectBuilder();
  object.struct("event", {
    name: object.array(object.type("char"), 16),
    count: object.type("__s32"),
  });
  return object.map("rb", { type: 27 }).marker("gadget_tracer_events___rb___event");
}

/** The map example of the "Adding Metrics" page: map `metrics`, data source `mymetrics`. */
export function mapObject(): ObjectBuilder {
  const object = new ObjectBuilder();
  const key = object.struct("metrics_key", { key: object.type("__u32") });
  const counter = object.typedef("gadget_counter__u32", object.type("__u32"));
  const value = object.struct("metrics_value", { counter });
  return object.map("metrics", { type: 1, key, value, maxEntries: 10240 })
    .marker("gadget_mapiter_mymetrics___metrics");
}
