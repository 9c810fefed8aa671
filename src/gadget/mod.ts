/** Gadgets: object and gadget.yaml → specification. Pure. */

export { parseAnnotate } from "./annotate.ts";
export type { AnnotationEntry, Place } from "./annotation_entry.ts";
export { MAP_READ_MODES, METRIC_TYPES, PERCPU_MODES } from "./annotation_keys.ts";
export { buildGadgetSpec, type BuiltGadget, type GadgetInput } from "./build_spec.ts";
export { parseDurationMs } from "./duration.ts";
export { encodeParam } from "./encode_param.ts";
export {
  exponentialBound,
  type ExponentialBoundaries,
  exponentialRange,
} from "./exponential_boundaries.ts";
export {
  isArrayMap,
  isPercpuMap,
  MAP_TYPE,
  type MapDefinition,
  readMapDefinitions,
} from "./maps.ts";
export { type DataSourceMarker, findMarkers, type GadgetMarkers } from "./markers.ts";
export { type GadgetMetadata, parseMetadata } from "./metadata.ts";
export { translateLabelName } from "./metric_names.ts";
export {
  hasMetrics,
  type KeyRole,
  type MetricRoles,
  metricRoles,
  type MetricType,
  type ValueRole,
} from "./metric_roles.ts";
export type { ObjectData, SymbolPlace } from "./params.ts";
export type {
  Annotations,
  DataSourceOrigin,
  DataSourceSpec,
  GadgetSpec,
  ParamSpec,
  ProgramSettings,
} from "./spec.ts";
export {
  describeNode,
  keyOf,
  parseYaml,
  readItems,
  readMapping,
  readText,
  type YamlNode,
} from "./_yaml_node.ts";
