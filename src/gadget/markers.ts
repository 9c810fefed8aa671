/** The markers that `GADGET_*` macros leave in an object: variables whose names carry meaning. */

import type { Btf, BtfVar } from "../btf/mod.ts";
import { FormatError } from "../errors.ts";
import { suggestName } from "../text/mod.ts";
import type { MapDefinition } from "./maps.ts";
import type { DataSourceOrigin } from "./spec.ts";

const SEPARATOR = "___";

/** A data source as its marker declares it. */
export interface DataSourceMarker {
  readonly name: string;
  /** The marker variable, for messages. */
  readonly marker: string;
  readonly origin: DataSourceOrigin;
}

export interface GadgetMarkers {
  /** In the order of the BTF. */
  readonly dataSources: readonly DataSourceMarker[];
  /** C variables marked by `GADGET_PARAM`. */
  readonly params: readonly string[];
  /** Maps made by `GADGET_TRACER_MAP`: the loader may turn them into perf event arrays. */
  readonly tracerMaps: readonly string[];
  /** `GADGET_ITER_TARGET_MAP`: map of each `iter/bpf_map_elem` program. */
  readonly iterTargetMaps: ReadonlyMap<string, string>;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

type MarkerKind =
  | "tracer"
  | "iter"
  | "mapiter"
  | "param"
  | "tracer map"
  | "iter target"
  | "sk target";

/** Prefix, and the parts that follow it. */
interface MarkerForm {
  readonly kind: MarkerKind;
  readonly prefix: string;
  readonly parts: string;
  readonly partsMin: number;
  readonly partsMax: number;
}

const FORMS: readonly MarkerForm[] = [
  form("tracer", "gadget_tracer_", ["name", "map", "struct"]),
  form("iter", "gadget_iter_", ["name", "struct", "program", "[program]", "[program]"]),
  form("iter", "gadget_snapshotter_", ["name", "struct", "program", "[program]", "[program]"]),
  form("mapiter", "gadget_mapiter_", ["name", "map"]),
  form("param", "gadget_param_", ["variable"]),
  form("tracer map", "gadget_map_tracer_", ["map"]),
  form("iter target", "gadget_mapelem_iter_target_", ["program", "map"]),
  form("sk target", "gadget_sk_prog_target_", ["program", "map"]),
];

/** What markers refer to. */
interface ObjectNames {
  readonly btf: Btf;
  readonly maps: ReadonlyMap<string, MapDefinition>;
}

/**
 * Finds all markers of an object.
 *
 * Throws: FormatError for markers with the wrong number of parts, for those that name a map,
 * struct, program or variable that the object does not have, and for two data sources of one name.
 */
export function findMarkers(btf: Btf, maps: ReadonlyMap<string, MapDefinition>): GadgetMarkers {
  const object: ObjectNames = { btf, maps };
  const dataSources: DataSourceMarker[] = [];
  const params: string[] = [];
  const tracerMaps: string[] = [];
  const iterTargetMaps = new Map<string, string>();
  const warnings: string[] = [];
  for (const { variable, markerForm } of markerVariables(btf, warnings)) {
    const marker = variable.name;
    const parts = splitParts(marker, markerForm);
    switch (markerForm.kind) {
      case "tracer":
      case "iter":
      case "mapiter": {
        const origin = readOrigin(object, { marker, kind: markerForm.kind, parts });
        addDataSource(dataSources, { name: parts[0], marker, origin });
        break;
      }
      case "param":
        requireVariable(object, marker, parts[0]);
        params.push(parts[0]);
        break;
      case "tracer map":
        requireMap(object, marker, parts[0]);
        tracerMaps.push(parts[0]);
        break;
      case "iter target":
        requireMap(object, marker, parts[1]);
        iterTargetMaps.set(parts[0], parts[1]);
        break;
      case "sk target":
        warnings.push(`marker ${marker}: socket map programs are not supported; ignored`);
    }
  }
  return { dataSources, params, tracerMaps, iterTargetMaps, warnings };
}

/** Variables with a marker's name and its type: global `const void *`. */
function markerVariables(
  btf: Btf,
  warnings: string[],
): { variable: BtfVar; markerForm: MarkerForm }[] {
  return [...btf.idsOfKind("var")].flatMap((id) => {
    const variable = btf.type(id);
    const markerForm = FORMS.find(({ prefix }) => variable.name.startsWith(prefix));
    if (variable.kind !== "var" || markerForm === undefined) return [];
    if (isMarkerType(btf, variable)) return [{ variable, markerForm }];
    warnings.push(
      `variable ${variable.name} has the name of a marker, but is not a global "const void *"; ignored`,
    );
    return [];
  });
}

function isMarkerType(btf: Btf, variable: BtfVar): boolean {
  if (variable.linkage !== "global") return false;
  const pointer = btf.type(variable.type);
  if (pointer.kind !== "ptr") return false;
  const pointed = btf.type(pointer.type);
  return pointed.kind === "const" && btf.type(pointed.type).kind === "void";
}

function splitParts(marker: string, { prefix, partsMin, partsMax, parts }: MarkerForm): string[] {
  const found = marker.slice(prefix.length).split(SEPARATOR);
  const isComplete = found.length >= partsMin && found.length <= partsMax && !found.includes("");
  if (isComplete) return found;
  throw new FormatError(
    `Marker ${marker} has ${found.filter((part) => part !== "").length} parts after "${prefix}", ` +
      `expected ${parts} separated by "${SEPARATOR}"`,
    { hint: `names of data sources, maps, structs and programs cannot contain "${SEPARATOR}"` },
  );
}

function readOrigin(
  object: ObjectNames,
  from: { marker: string; kind: "tracer" | "iter" | "mapiter"; parts: readonly string[] },
): DataSourceOrigin {
  const { marker, parts } = from;
  switch (from.kind) {
    case "tracer":
      requireMap(object, marker, parts[1]);
      requireStruct(object, marker, parts[2]);
      return { kind: "tracer", map: parts[1], struct: parts[2] };
    case "iter": {
      requireStruct(object, marker, parts[1]);
      const programs = parts.slice(2);
      for (const name of programs) {
        requireName(marker, { what: "program", name, names: namesOf(object.btf, "func") });
      }
      return { kind: "iter", struct: parts[1], programs };
    }
    case "mapiter":
      requireMap(object, marker, parts[1]);
      return { kind: "mapiter", map: parts[1] };
  }
}

function addDataSource(dataSources: DataSourceMarker[], added: DataSourceMarker): void {
  const other = dataSources.find(({ name }) => name === added.name);
  if (other !== undefined) {
    throw new FormatError(
      `Markers ${other.marker} and ${added.marker} both declare the data source "${added.name}"`,
      { hint: "give each data source a name of its own" },
    );
  }
  dataSources.push(added);
}

function requireMap(object: ObjectNames, marker: string, name: string): void {
  requireName(marker, { what: "map", name, names: [...object.maps.keys()] });
}

function requireStruct(object: ObjectNames, marker: string, name: string): void {
  if (object.btf.findByName("struct", name) !== undefined) return;
  requireName(marker, { what: "struct", name, names: namesOf(object.btf, "struct") });
}

function requireVariable(object: ObjectNames, marker: string, name: string): void {
  if (object.btf.findByName("var", name) !== undefined) return;
  const names = namesOf(object.btf, "var").filter((variable) =>
    !object.maps.has(variable) && !FORMS.some(({ prefix }) => variable.startsWith(prefix))
  );
  requireName(marker, { what: "variable", name, names });
}

function requireName(
  marker: string,
  wanted: { what: string; name: string; names: readonly string[] },
): void {
  const { what, name, names } = wanted;
  if (names.includes(name)) return;
  throw new FormatError(
    `Marker ${marker} names the ${what} "${name}", which the object does not have`,
    { hint: suggestName(name, names, `${what}s of the object`) },
  );
}

function namesOf(btf: Btf, kind: "struct" | "var" | "func"): string[] {
  return [...btf.idsOfKind(kind)].map((id) => btf.type(id).name).filter((name) => name !== "");
}

function form(kind: MarkerKind, prefix: string, parts: readonly string[]): MarkerForm {
  return {
    kind,
    prefix,
    parts: parts.join(SEPARATOR),
    partsMin: parts.filter((part) => !part.startsWith("[")).length,
    partsMax: parts.length,
  };
}
