/** Object and metadata → `GadgetSpec`. */

import { parseAnnotate } from "./annotate.ts";
import { annotateSource } from "./annotate_source.ts";
import { type AnnotationSubject, findDataSource, listSubjects } from "./annotation_subject.ts";
import { withCpuField } from "./cpu_field.ts";
import { deriveDataSource } from "./derive_data_source.ts";
import { isPercpuMap, type MapDefinition, readMapDefinitions } from "./maps.ts";
import { findMarkers, type GadgetMarkers } from "./markers.ts";
import { parseMetadata } from "./metadata.ts";
import { renamingWarnings } from "./metric_names.ts";
import { buildParams, type ObjectData } from "./params.ts";
import type { DataSourceSpec, GadgetSpec } from "./spec.ts";

/** What a gadget consists of, and what the command line adds. */
export interface GadgetInput extends ObjectData {
  /** Short name: of the folder, file or image. */
  readonly name: string;
  /** Text of gadget.yaml, if there is one. */
  readonly metadataText?: string;
  /** Its file name, for messages. */
  readonly metadataFile?: string;
  /** Values of `--annotate`, in order. */
  readonly annotate: readonly string[];
}

export interface BuiltGadget {
  readonly spec: GadgetSpec;
  /** All maps that the object defines. */
  readonly maps: ReadonlyMap<string, MapDefinition>;
  readonly markers: GadgetMarkers;
  /** One sentence each, for stderr. */
  readonly warnings: readonly string[];
}

/**
 * Builds and checks the specification of a gadget. Annotations win in this order, last highest:
 * defaults, C types, `template`, gadget.yaml, `--annotate`.
 *
 * Throws: FormatError for a broken object or gadget.yaml, UsageError for a wrong `--annotate`,
 * UnsupportedError for map types that cannot be read.
 */
export function buildGadgetSpec(input: GadgetInput): BuiltGadget {
  const metadata = parseMetadata(input.metadataText ?? "", input.metadataFile);
  const flags = parseAnnotate(input.annotate);
  const { btf } = input;
  const maps = readMapDefinitions(btf);
  const markers = findMarkers(btf, maps);
  const built = buildParams(input, { variables: markers.params, metadata });
  const sources = markers.dataSources.map((marker) => deriveDataSource({ btf, maps }, marker));
  const warnings = [...metadata.warnings, ...markers.warnings, ...built.warnings];
  const spec: GadgetSpec = {
    name: input.name,
    description: metadata.description,
    dataSources: annotateSources(sources, {
      subjects: listSubjects(metadata, flags),
      maps,
      warnings,
    }),
    params: built.params,
    programs: metadata.programs,
    flagDefaults: built.flagDefaults,
  };
  return { spec, maps, markers, warnings: [...new Set(warnings)] };
}

function annotateSources(
  sources: readonly DataSourceSpec[],
  context: {
    subjects: readonly AnnotationSubject[];
    maps: ReadonlyMap<string, MapDefinition>;
    warnings: string[];
  },
): DataSourceSpec[] {
  const { subjects, maps, warnings } = context;
  const groups = new Map<DataSourceSpec, AnnotationSubject[]>();
  for (const subject of subjects) {
    const source = findDataSource(sources, subject, warnings);
    if (source !== undefined) groups.set(source, [...groups.get(source) ?? [], subject]);
  }
  return sources.map((source) => {
    const own = groups.get(source) ?? [];
    const isSplit = hasPercpuMap(source, maps) && lastValueOf(own, "ebpf.map.percpu") === "label";
    const annotated = annotateSource(isSplit ? withCpuField(source) : source, own, warnings);
    warnings.push(...renamingWarnings(annotated));
    return annotated;
  });
}

function hasPercpuMap(
  { origin }: DataSourceSpec,
  maps: ReadonlyMap<string, MapDefinition>,
): boolean {
  const map = origin.kind === "mapiter" ? maps.get(origin.map) : undefined;
  return map !== undefined && isPercpuMap(map);
}

/** What a data source's own annotation ends up as: the last one wins. */
function lastValueOf(subjects: readonly AnnotationSubject[], key: string): string | undefined {
  return subjects.filter(({ field }) => field === undefined)
    .flatMap(({ annotations }) => annotations)
    .findLast((entry) => entry.key === key)?.value;
}
