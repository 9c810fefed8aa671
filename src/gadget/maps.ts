/** The maps that an object defines, read from the `.maps` section of its BTF. */

import type { Btf, BtfComposite, TypeId } from "../btf/mod.ts";

/** Values of `enum bpf_map_type` that kmeter knows what to do with. */
export const MAP_TYPE = {
  hash: 1,
  array: 2,
  perfEventArray: 4,
  percpuHash: 5,
  percpuArray: 6,
  lruHash: 9,
  lruPercpuHash: 10,
  ringBuffer: 27,
} as const;

/** One map as the object declares it; the loader may change `maxEntries`. */
export interface MapDefinition {
  readonly name: string;
  /** `enum bpf_map_type`; 0 if the object does not say. */
  readonly type: number;
  /** Absent where the object gives a size only. */
  readonly keyType?: TypeId;
  readonly valueType?: TypeId;
  /** 0 if the map has no keys, as ring buffers. */
  readonly keySizeBytes: number;
  /** Of one CPU's value in per-CPU maps. */
  readonly valueSizeBytes: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** 1 is `LIBBPF_PIN_BY_NAME`. */
  readonly pinning: number;
}

/** True for maps with one value per CPU. */
export function isPercpuMap(map: Pick<MapDefinition, "type">): boolean {
  return map.type === MAP_TYPE.percpuHash || map.type === MAP_TYPE.percpuArray ||
    map.type === MAP_TYPE.lruPercpuHash;
}

/** True for maps whose key is an index. */
export function isArrayMap(map: Pick<MapDefinition, "type">): boolean {
  return map.type === MAP_TYPE.array || map.type === MAP_TYPE.percpuArray;
}

/**
 * Reads all map definitions, by name.
 *
 * Throws: FormatError for a `.maps` section that does not have the form of libbpf's macros.
 */
export function readMapDefinitions(btf: Btf): Map<string, MapDefinition> {
  const maps = new Map<string, MapDefinition>();
  for (const id of btf.idsOfKind("datasec")) {
    const section = btf.type(id);
    if (section.kind !== "datasec" || section.name !== ".maps") continue;
    for (const { type } of section.variables) {
      const map = readMapDefinition(btf, type);
      maps.set(map.name, map);
    }
  }
  return maps;
}

function readMapDefinition(btf: Btf, variableId: TypeId): MapDefinition {
  const variable = btf.type(variableId);
  if (variable.kind !== "var") {
    throw btf.error(variableId, `kind ${variable.kind} in section ".maps", expected a variable`);
  }
  const { type } = btf.resolve(variable.type);
  if (type.kind !== "struct") {
    throw btf.error(
      variableId,
      `map "${variable.name}" is of kind ${type.kind}, expected a struct`,
    );
  }
  const keyType = pointedType(btf, type, "key");
  const valueType = pointedType(btf, type, "value");
  return {
    name: variable.name,
    type: readNumber(btf, type, "type"),
    ...(keyType !== undefined && { keyType }),
    ...(valueType !== undefined && { valueType }),
    keySizeBytes: keyType === undefined ? readNumber(btf, type, "key_size") : btf.sizeOf(keyType),
    valueSizeBytes: valueType === undefined
      ? readNumber(btf, type, "value_size")
      : btf.sizeOf(valueType),
    maxEntries: readNumber(btf, type, "max_entries"),
    flags: readNumber(btf, type, "map_flags"),
    pinning: readNumber(btf, type, "pinning"),
  };
}

/** `__type(name, T)` is a pointer to T. */
function pointedType(btf: Btf, map: BtfComposite, name: string): TypeId | undefined {
  const member = map.members.find((candidate) => candidate.name === name);
  if (member === undefined) return undefined;
  const { type } = btf.resolve(member.type);
  if (type.kind === "ptr") return type.type;
  throw btf.error(member.type, `map member "${name}" is of kind ${type.kind}, expected a pointer`);
}

/** `__uint(name, N)` is a pointer to an array of N elements; 0 if the member is absent. */
function readNumber(btf: Btf, map: BtfComposite, name: string): number {
  const pointed = pointedType(btf, map, name);
  if (pointed === undefined) return 0;
  const { type } = btf.resolve(pointed);
  if (type.kind === "array") return type.length;
  throw btf.error(pointed, `map member "${name}" points to kind ${type.kind}, expected an array`);
}
