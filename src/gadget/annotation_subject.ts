/** Finds the data source or field that annotations are for. */

import type { Field } from "../decode/mod.ts";
import { quoteNames, suggestName } from "../text/mod.ts";
import { type AnnotationEntry, type Place, placeError } from "./annotation_entry.ts";
import type { GadgetMetadata } from "./metadata.ts";
import type { DataSourceSpec } from "./spec.ts";

/** A data source or field by name, with what is said about it in one place. */
export interface AnnotationSubject {
  readonly dataSource: string;
  readonly field?: string;
  readonly place: Place;
  readonly tags: readonly string[];
  readonly annotations: readonly AnnotationEntry[];
}

/** Fields that enrichment with containers adds in `ig`: known, but not there. */
const CONTAINER_FIELDS = /(^|\.)(k8s|runtime)\./i;
/** Data sources that `ig` produces itself. */
const BUILT_IN_DATA_SOURCES = ["bpfstats", "processes", "cgroups", "containers"];

/** Subjects in order of precedence: gadget.yaml first, `--annotate` last. */
export function listSubjects(
  metadata: Pick<GadgetMetadata, "dataSources">,
  flags: readonly AnnotationEntry[],
): AnnotationSubject[] {
  const fromFile = metadata.dataSources.flatMap((source) => [
    { ...source, dataSource: source.name },
    ...source.fields.map((field) => ({ ...field, dataSource: source.name, field: field.name })),
  ]);
  const fromFlags = flags.map((entry) => ({
    dataSource: entry.dataSource,
    ...(entry.field !== undefined && { field: entry.field }),
    place: entry.place,
    tags: [],
    annotations: [entry],
  }));
  return [...fromFile, ...fromFlags];
}

/**
 * Data source of a subject; `undefined`, with a warning, if only `ig` has it.
 *
 * Throws: FormatError or UsageError with the nearest name and all that exist.
 */
export function findDataSource(
  sources: readonly DataSourceSpec[],
  subject: AnnotationSubject,
  warnings: string[],
): DataSourceSpec | undefined {
  const name = subject.dataSource;
  const found = findByName(sources, name);
  if (found !== undefined) return found;
  const where = subject.place.describe();
  if (BUILT_IN_DATA_SOURCES.includes(name.toLowerCase())) {
    warnings.push(`${where}: kmeter has no built-in data source "${name}"; ignored`);
    return undefined;
  }
  const byOrigin = findByOrigin(sources, name);
  if (byOrigin !== undefined) {
    throw placeError(subject.place, {
      message: `Unknown data source in ${where}: "${name}" is the name of a ${byOrigin.what}; ` +
        `its data source is called "${byOrigin.source.name}"`,
      hint: `write "${byOrigin.source.name}", the name that ${byOrigin.macro} gives it`,
    });
  }
  const names = sources.map((source) => source.name);
  throw placeError(subject.place, {
    message: `Unknown data source in ${where}: the gadget has no data source "${name}"`,
    hint: suggestName(name, names, "data sources"),
  });
}

/**
 * Field of a subject; `undefined`, with a warning, if only `ig`'s container enrichment has it.
 *
 * Throws: FormatError or UsageError with the nearest name and all that exist.
 */
export function findField(
  source: Pick<DataSourceSpec, "name" | "fields">,
  subject: { readonly field: string; readonly place: Place },
  warnings: string[],
): Field | undefined {
  const { field: name, place } = subject;
  const found = findByName(source.fields, name);
  if (found !== undefined) return found;
  if (CONTAINER_FIELDS.test(name)) {
    warnings.push(`${place.describe()}: fields of containers are not available; ignored`);
    return undefined;
  }
  const names = source.fields.map((field) => field.name);
  const sameLeaf = names.filter((full) => full.toLowerCase().endsWith(`.${name.toLowerCase()}`));
  throw placeError(place, {
    message: `Unknown field in ${place.describe()}: ` +
      `data source "${source.name}" has no field "${name}"`,
    hint: sameLeaf.length > 0
      ? `did you mean ${quoteNames(sameLeaf)}? members of structs are named with dots`
      : suggestName(name, names, "fields"),
  });
}

/** Exact name first; else case does not count. */
function findByName<T extends { readonly name: string }>(
  named: readonly T[],
  name: string,
): T | undefined {
  return named.find((candidate) => candidate.name === name) ??
    named.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
}

/** The data source that reads the map, or has the struct, of that name. */
function findByOrigin(
  sources: readonly DataSourceSpec[],
  name: string,
): { source: DataSourceSpec; what: string; macro: string } | undefined {
  for (const source of sources) {
    const { origin } = source;
    if (origin.kind === "mapiter" && origin.map === name) {
      return { source, what: "map", macro: `GADGET_MAPITER(${source.name}, ${name})` };
    }
    if (origin.kind === "tracer" && (origin.map === name || origin.struct === name)) {
      const macro = `GADGET_TRACER(${source.name}, ${origin.map}, ${origin.struct})`;
      return { source, what: origin.map === name ? "map" : "struct", macro };
    }
    if (origin.kind === "iter" && origin.struct === name) {
      return { source, what: "struct", macro: `GADGET_ITER(${source.name}, ${name}, ...)` };
    }
  }
  return undefined;
}
