/** Marker → data source with the fields of its C types. */

import type { Btf, TypeId } from "../btf/mod.ts";
import { type DerivedFields, deriveFields, type Field } from "../decode/mod.ts";
import { FormatError, UnsupportedError } from "../errors.ts";
import { isArrayMap, MAP_TYPE, type MapDefinition } from "./maps.ts";
import type { DataSourceMarker } from "./markers.ts";
import type { DataSourceSpec } from "./spec.ts";

const READABLE_MAP_TYPES: readonly number[] = [
  MAP_TYPE.hash,
  MAP_TYPE.array,
  MAP_TYPE.percpuHash,
  MAP_TYPE.percpuArray,
  MAP_TYPE.lruHash,
  MAP_TYPE.lruPercpuHash,
];
const KEY_PREFIX = "key";

/** The types and maps of an object. */
export interface ObjectTypes {
  readonly btf: Btf;
  readonly maps: ReadonlyMap<string, MapDefinition>;
}

/**
 * Derives fields and sizes of a data source; annotations are those that the C types bring.
 *
 * Throws: FormatError if the map cannot be what the marker says; UnsupportedError for map types
 * that cannot be listed by key.
 */
export function deriveDataSource(object: ObjectTypes, marker: DataSourceMarker): DataSourceSpec {
  const { name, origin } = marker;
  const base = { name, origin, annotations: {}, tags: [] };
  if (origin.kind === "mapiter") {
    const { key, value } = deriveMapFields(object, { name, map: mapOf(object, origin.map) });
    return {
      ...base,
      fields: [...prefixCollidingKeys(key.fields, value.fields), ...value.fields],
      recordSizeBytes: key.sizeBytes,
      valueSizeBytes: value.sizeBytes,
    };
  }
  if (origin.kind === "tracer") checkTracerMap(name, mapOf(object, origin.map));
  const { fields, sizeBytes } = deriveFields(object.btf, structOf(object.btf, origin.struct), {
    segment: 0,
  });
  return { ...base, fields, recordSizeBytes: sizeBytes, valueSizeBytes: 0 };
}

function deriveMapFields(
  { btf }: ObjectTypes,
  from: { name: string; map: MapDefinition },
): { key: DerivedFields; value: DerivedFields } {
  const { name, map } = from;
  if (!READABLE_MAP_TYPES.includes(map.type)) {
    throw new UnsupportedError(
      `Data source "${name}": map "${map.name}" has type ${map.type}, which has no entries to list`,
      {
        feature: `GADGET_MAPITER over maps of type ${map.type}`,
        hint: "use a hash, LRU hash or array map, per CPU or not",
      },
    );
  }
  if (map.keyType === undefined || map.valueType === undefined) {
    const missing = map.keyType === undefined ? "key" : "value";
    throw new FormatError(
      `Data source "${name}": map "${map.name}" does not say what type its ${missing} has`,
      { hint: `declare it with __type(${missing}, T) instead of __uint(${missing}_size, N)` },
    );
  }
  const key = deriveFields(btf, map.keyType, {
    segment: 0,
    extraTags: ["role:key"],
    ...(isArrayMap(map) && { scalarName: "index" }),
  });
  return { key, value: deriveFields(btf, map.valueType, { segment: 1 }) };
}

/** Key fields whose first part a value field has too become `key.…`; value fields keep their names. */
function prefixCollidingKeys(keys: readonly Field[], values: readonly Field[]): Field[] {
  const valueParts = new Set(values.map(firstPart));
  const colliding = new Set(keys.map(firstPart).filter((part) => valueParts.has(part)));
  if (colliding.size === 0) return [...keys];
  return keys.map((field) => {
    if (!colliding.has(firstPart(field))) return field;
    return {
      ...field,
      name: `${KEY_PREFIX}.${field.name}`,
      parent: field.parent === "" ? "" : `${KEY_PREFIX}.${field.parent}`,
    };
  });
}

function firstPart(field: Field): string {
  return field.name.split(".", 1)[0];
}

function checkTracerMap(name: string, map: MapDefinition): void {
  if (map.type === MAP_TYPE.ringBuffer || map.type === MAP_TYPE.perfEventArray) return;
  throw new FormatError(
    `Data source "${name}": map "${map.name}" has type ${map.type}, expected a ring buffer ` +
      `(${MAP_TYPE.ringBuffer}) or a perf event array (${MAP_TYPE.perfEventArray})`,
    { hint: "declare it with GADGET_TRACER_MAP, or use GADGET_MAPITER to read its entries" },
  );
}

function mapOf({ maps }: ObjectTypes, name: string): MapDefinition {
  const map = maps.get(name);
  if (map === undefined) throw new Error(`BUG: marker names no map: ${name}`);
  return map;
}

function structOf(btf: Btf, name: string): TypeId {
  const id = btf.findByName("struct", name);
  if (id === undefined) throw new Error(`BUG: marker names no struct: ${name}`);
  return id;
}
