/** Annotations and C types → which fields are labels, and which are metrics of what kind. */

import type { Field } from "../decode/mod.ts";
import { UsageError } from "../errors.ts";
import { quoteNames, suggestName } from "../text/mod.ts";
import { parseBoundaries } from "./annotation_values.ts";
import { parseDurationMs } from "./duration.ts";
import type { ExponentialBoundaries } from "./exponential_boundaries.ts";
import { checkLabelNames, checkMetricNames, instrumentName } from "./metric_names.ts";
import type { DataSourceSpec } from "./spec.ts";

export type MetricType = "counter" | "gauge" | "histogram";

/** A field whose value becomes a label. */
export interface KeyRole {
  readonly field: Field;
  /** Attribute name before translation. */
  readonly label: string;
}

/** A field whose value becomes a metric. */
export interface ValueRole {
  readonly field: Field;
  readonly type: MetricType;
  /** Legal OpenTelemetry instrument name. */
  readonly name: string;
  /** May be "". */
  readonly description: string;
  /** UCUM, may be "". */
  readonly unit: string;
  /** Ascending upper bounds of a histogram, without +Inf; absent = default of its kind. */
  readonly boundaries?: readonly number[];
  /** Instead of boundaries: they grow by a constant factor. */
  readonly exponential?: ExponentialBoundaries;
  /** True if the field is an array with one count per slot. */
  readonly isSlots: boolean;
  /** Field with the true sum of a slot histogram. */
  readonly sumField?: Field;
}

/** The metrics of a data source as its annotations and C types ask for them. */
export interface MetricRoles {
  readonly keys: readonly KeyRole[];
  readonly values: readonly ValueRole[];
  /** Counts events or rows. */
  readonly implicitCounter?: { readonly name: string; readonly description: string };
  /** Field of the latest event that is told beside counters and histograms. */
  readonly exemplar?: KeyRole;
  /** `metrics.collect`. */
  readonly collect: boolean;
  /** `metrics.print`. */
  readonly print: boolean;
  /** Life of a series without updates. */
  readonly ttlMs?: number;
  /** Highest number of series. */
  readonly limit?: number;
}

/** C types that make metrics, in the order in which they are looked for. */
const TYPE_TAGS: readonly { readonly prefix: string; readonly type: MetricType }[] = [
  { prefix: "type:gadget_histogram_slot__", type: "histogram" },
  { prefix: "type:gadget_counter__", type: "counter" },
  { prefix: "type:gadget_gauge__", type: "gauge" },
];
const UNIT_OF_TAG: ReadonlyMap<string, string> = new Map([
  ["type:gadget_bytes", "By"],
  ["type:gadget_duration", "ns"],
]);
const SLOT_KINDS: readonly string[] = ["uint32", "uint64", "int32", "int64"];
const NUMBER_KIND = /^(u?int(8|16|32|64)|float(32|64))$/;

/**
 * Resolves keys and values of a data source. Without keys there is one series; without values and
 * implicit counter there is nothing to collect. The members of a map's key are keys unless a key is
 * named: the entries of a map are apart in the kernel, and stay so.
 *
 * Throws: UsageError for fields that cannot have their role, and for names that clash.
 */
export function metricRoles(source: DataSourceSpec): MetricRoles {
  const keys: KeyRole[] = [];
  const values: ValueRole[] = [];
  for (const field of source.fields) {
    const type = metricTypeOf(field);
    if (type === "key") keys.push(keyRole(source, field));
    else if (type !== undefined) values.push(valueRole(source, { field, type }));
  }
  if (keys.length === 0) keys.push(...mapKeyRoles(source));
  const { annotations } = source;
  const counterName = annotations["metrics.implicit-counter.name"];
  const implicitCounter = counterName === undefined ? undefined : {
    name: instrumentName(counterName),
    description: annotations["metrics.implicit-counter.description"] ?? "",
  };
  checkLabelNames(
    source.name,
    keys.map(({ label, field }) => ({ name: label, claimedBy: `field "${field.name}"` })),
  );
  checkMetricNames(source.name, [
    ...values.map(({ name, field }) => ({ name, claimedBy: `field "${field.name}"` })),
    ...(implicitCounter === undefined
      ? []
      : [{ name: implicitCounter.name, claimedBy: "the implicit counter" }]),
  ]);
  const ttl = annotations["metrics.ttl"];
  const limit = annotations["metrics.limit"];
  const exemplar = exemplarOf(source);
  return {
    keys,
    values,
    ...(implicitCounter && { implicitCounter }),
    ...(exemplar && { exemplar }),
    collect: annotations["metrics.collect"] === "true",
    print: annotations["metrics.print"] === "true",
    ...(ttl !== undefined && { ttlMs: parseDurationMs(ttl) }),
    ...(limit !== undefined && { limit: Number(limit) }),
  };
}

/** An annotation wins over the C type; `none` takes the metric of the C type away. */
function metricTypeOf(field: Field): MetricType | "key" | undefined {
  switch (field.annotations["metrics.type"]) {
    case "key":
      return "key";
    case "counter":
      return "counter";
    case "gauge":
      return "gauge";
    case "histogram":
      return "histogram";
    case undefined:
      return TYPE_TAGS.find(({ prefix }) => field.tags.some((tag) => tag.startsWith(prefix)))?.type;
    default:
      return undefined;
  }
}

/** Visible members of a map's key; `metrics.type: none` leaves one out. */
function mapKeyRoles(source: DataSourceSpec): KeyRole[] {
  return source.fields
    .filter((field) => field.tags.includes("role:key") && !field.hidden)
    .filter(({ annotations }) => annotations["metrics.type"] === undefined)
    .filter((field) => field.format !== undefined || !isParent(source, field))
    .map((field) => keyRole(source, field));
}

function isParent(source: DataSourceSpec, field: Field): boolean {
  return source.fields.some(({ parent }) => parent === field.name);
}

function keyRole(source: DataSourceSpec, field: Field): KeyRole {
  const members = source.fields.filter(({ parent }) => parent === field.name);
  if (members.length > 0 && field.format === undefined) {
    throw roleError(source, field, {
      what: "cannot be a key: it is a struct or union",
      hint: `annotate its members instead: ${quoteNames(members.map(({ name }) => name))}`,
    });
  }
  return { field, label: field.annotations["metrics.name"]?.trim() || field.name };
}

function valueRole(
  source: DataSourceSpec,
  from: { readonly field: Field; readonly type: MetricType },
): ValueRole {
  const { field, type } = from;
  const { annotations } = field;
  const isSlots = field.arrayLength > 0;
  checkValueKind(source, from);
  const boundaries = boundariesOf(source, from);
  const sumField = sumFieldOf(source, { field, isSlots });
  return {
    field,
    type,
    name: instrumentName(annotations["metrics.name"]?.trim() || field.name),
    description: annotations["metrics.description"] ?? annotations.description ?? "",
    unit: annotations["metrics.unit"] ?? inferredUnit(field),
    isSlots,
    ...boundaries,
    ...(sumField && { sumField }),
  };
}

function checkValueKind(
  source: DataSourceSpec,
  { field, type }: { readonly field: Field; readonly type: MetricType },
): void {
  if (field.arrayLength === 0) {
    if (NUMBER_KIND.test(field.kind)) return;
    throw roleError(source, field, {
      what: `cannot be a ${type}: its kind is ${field.kind}, expected an integer of at most ` +
        "64 bits or a float",
      hint: `set "metrics.type" to "key" to make it a label, or to "none"`,
    });
  }
  const shape = `an array of ${field.arrayLength} ${field.kind}`;
  if (type !== "histogram") {
    throw roleError(source, field, {
      what: `cannot be a ${type}: it is ${shape}`,
      hint: `arrays can be histograms with one count per slot, or keys`,
    });
  }
  if (!SLOT_KINDS.includes(field.kind)) {
    throw roleError(source, field, {
      what: `cannot be a histogram: it is ${shape}, but slots are 32 or 64 bits wide`,
      hint: "use gadget_histogram_slot__u32 or gadget_histogram_slot__u64",
    });
  }
}

function boundariesOf(
  source: DataSourceSpec,
  { field, type }: { readonly field: Field; readonly type: MetricType },
): Pick<ValueRole, "boundaries" | "exponential"> {
  const text = field.annotations["metrics.boundaries"];
  if (text === undefined || type !== "histogram") return {};
  const boundaries = parseBoundaries(text);
  const slots = field.arrayLength;
  if (!Array.isArray(boundaries)) {
    if (slots === 0) return { exponential: boundaries };
    throw roleError(source, field, {
      what: `has ${slots} slots, which the gadget has counted: a schema cannot change them`,
      hint:
        'write one number per slot into "metrics.boundaries", or remove it for slots of powers of two',
    });
  }
  if (slots === 0 || boundaries.length === slots - 1) return { boundaries };
  throw roleError(source, field, {
    what: `has ${slots} slots and ${boundaries.length} boundaries, expected ${slots - 1}`,
    hint: 'write one number per slot into "metrics.boundaries", without the last slot: it is +Inf',
  });
}

function sumFieldOf(
  source: DataSourceSpec,
  { field, isSlots }: { readonly field: Field; readonly isSlots: boolean },
): Field | undefined {
  const name = field.annotations["metrics.sum"];
  if (name === undefined) return undefined;
  if (!isSlots) {
    throw roleError(source, field, {
      what: 'has "metrics.sum", which is for arrays of histogram slots',
      hint: "other histograms know their sum",
    });
  }
  const sumField = findField(source, name);
  if (sumField === undefined) {
    throw roleError(source, field, {
      what: `takes its sum from "${name}", which is no field`,
      hint: suggestName(name, source.fields.map((candidate) => candidate.name), "fields"),
    });
  }
  if (sumField.arrayLength === 0 && NUMBER_KIND.test(sumField.kind)) return sumField;
  throw roleError(source, field, {
    what: `takes its sum from "${sumField.name}", which is no number`,
    hint: "the field of the sum is an integer of at most 64 bits or a float",
  });
}

/** Longest exemplar, in bytes: OpenMetrics allows 128 letters with the name of the label. */
const MAX_EXEMPLAR_BYTES = 64;

function exemplarOf(source: DataSourceSpec): KeyRole | undefined {
  const name = source.annotations["metrics.exemplar"];
  if (name === undefined) return undefined;
  if (source.origin.kind !== "tracer") {
    throw new UsageError(
      `Data source "${source.name}" has "metrics.exemplar", which is for events`,
      { hint: "rows of maps and iterators are totals of many events: remove the annotation" },
    );
  }
  const field = findField(source, name);
  if (field === undefined) {
    throw new UsageError(
      `Data source "${source.name}" takes its exemplars from "${name}", which is no field`,
      { hint: suggestName(name, source.fields.map((candidate) => candidate.name), "fields") },
    );
  }
  if (field.sizeBytes <= MAX_EXEMPLAR_BYTES) {
    return { ...keyRole(source, field), label: field.name };
  }
  throw roleError(source, field, {
    what: `cannot be an exemplar: it has ${field.sizeBytes} bytes`,
    hint: `exemplars are short: at most ${MAX_EXEMPLAR_BYTES} bytes, such as an id or a comm`,
  });
}

/** True if there is something to count. */
export function hasMetrics({ values, implicitCounter }: MetricRoles): boolean {
  return values.length > 0 || implicitCounter !== undefined;
}

function findField({ fields }: DataSourceSpec, name: string): Field | undefined {
  return fields.find((field) => field.name === name) ??
    fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
}

function inferredUnit(field: Field): string {
  for (const tag of field.tags) {
    const unit = UNIT_OF_TAG.get(tag);
    if (unit !== undefined) return unit;
  }
  return "";
}

function roleError(
  source: DataSourceSpec,
  field: Field,
  facts: { readonly what: string; readonly hint: string },
): UsageError {
  return new UsageError(`Field "${source.name}.${field.name}" ${facts.what}`, { hint: facts.hint });
}
