/** What to make of a data source's records: keys, instruments and filter, resolved once. */

import {
  type Field,
  type FilterTerm,
  isFloatKind,
  isSignedKind,
  keyWordCount,
} from "../decode/mod.ts";
import type { KeyRole, MetricRoles, ValueRole } from "../gadget/mod.ts";
import { textContext } from "./_text_context.ts";
import type { InstrumentType } from "./family.ts";
import { exponentialBuckets, log2NativeBuckets, type NativeBuckets } from "./native_buckets.ts";

/** A field whose bytes tell series apart. */
export interface KeyPart {
  readonly field: Field;
  /** Index of the first of the field's words within a series' key words. */
  readonly firstWord: number;
}

/** One key: its field, and the attribute it is shown as. */
export interface KeyPlan extends KeyPart {
  readonly label: string;
  /** Fields beside it that its text is made of. */
  readonly context: readonly KeyPart[];
}

/** What is kept of the latest event of a series. */
export interface ExemplarPlan {
  /** The field itself; `firstWord` counts from the first word of the exemplar. */
  readonly key: KeyPlan;
  /** It and its context. */
  readonly parts: readonly KeyPart[];
  readonly wordCount: number;
}

/** How an instrument's values are kept; see `family.ts` for the layouts. */
export type Storage = "unsigned" | "signed" | "float" | "histogram";

/** One instrument and the field it is fed from. */
export interface InstrumentPlan {
  readonly type: InstrumentType;
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly storage: Storage;
  /** Absent for the implicit counter, which counts records. */
  readonly field?: Field;
  /** True if the field is an array of ready bucket counts. */
  readonly slots: boolean;
  /** Inclusive upper bounds of a histogram, without +Inf; empty otherwise. */
  readonly upperBounds: readonly number[];
  /** What the buckets are in a native histogram, if they can be in one. */
  readonly native?: NativeBuckets;
  /** Slots only: the value that one count of each bucket adds to the estimated sum. */
  readonly midpoints: readonly number[];
  /** Slots only: field with the true sum. */
  readonly sumField?: Field;
}

/** A complete plan. */
export interface MetricsPlan {
  readonly keys: readonly KeyPlan[];
  /** All that tells series apart: the keys and their contexts, in the order of their words. */
  readonly keyParts: readonly KeyPart[];
  readonly keyWordCount: number;
  readonly instruments: readonly InstrumentPlan[];
  readonly exemplar?: ExemplarPlan;
  readonly filter: readonly FilterTerm[];
  /** Size in bytes of segment 0: shorter events are padded with zeros. */
  readonly recordSizeBytes: number;
  readonly valueSizeBytes: number;
  /** Series at most; what is over goes to the overflow series. */
  readonly seriesLimit: number;
  /** Series without news for this long leave; 0 = never. */
  readonly ttlMs: number;
}

/** What a plan is made from besides the roles. */
export interface PlanOptions {
  /** All fields of the data source. */
  readonly fields: readonly Field[];
  readonly filter: readonly FilterTerm[];
  readonly recordSizeBytes: number;
  readonly valueSizeBytes: number;
}

/** OpenTelemetry's default boundaries for explicit bucket histograms. */
export const DEFAULT_BOUNDARIES: readonly number[] = [
  0,
  5,
  10,
  25,
  50,
  75,
  100,
  250,
  500,
  750,
  1000,
  2500,
  5000,
  7500,
  10000,
];

/** Series per data source unless `metrics.limit` says otherwise. */
export const DEFAULT_SERIES_LIMIT = 20_000;

/** Resolves roles into a plan. */
export function makePlan(roles: MetricRoles, options: PlanOptions): MetricsPlan {
  const { fields, ...sizesAndFilter } = options;
  const { keys, parts, wordCount } = placeKeys(roles.keys, fields);
  const instruments = roles.values.map(planInstrument);
  if (roles.implicitCounter !== undefined) {
    const { name, description } = roles.implicitCounter;
    instruments.push({
      type: "counter",
      name,
      description,
      unit: "",
      storage: "unsigned",
      slots: false,
      upperBounds: [],
      midpoints: [],
    });
  }
  return {
    ...sizesAndFilter,
    keys,
    keyParts: parts,
    keyWordCount: wordCount,
    instruments,
    ...(roles.exemplar && { exemplar: planExemplar(roles.exemplar, fields) }),
    seriesLimit: roles.limit ?? DEFAULT_SERIES_LIMIT,
    ttlMs: roles.ttlMs ?? 0,
  };
}

/** Gives each key, and what its text needs beside it, its place among the words. */
function placeKeys(roles: readonly KeyRole[], fields: readonly Field[]) {
  const parts: KeyPart[] = [];
  let wordCount = 0;
  const addPart = (field: Field): KeyPart => {
    const part = { field, firstWord: wordCount };
    parts.push(part);
    wordCount += keyWordCount(field);
    return part;
  };
  const keys = roles.map(({ field, label }): KeyPlan => ({
    label,
    ...addPart(field),
    context: textContext(field, fields).map(addPart),
  }));
  return { keys, parts, wordCount };
}

function planExemplar(role: KeyRole, fields: readonly Field[]): ExemplarPlan {
  const { keys: [key], parts, wordCount } = placeKeys([role], fields);
  return { key, parts, wordCount };
}

/**
 * True if an entry of a map may feed another series than before: because a key lies in the value, or
 * because it or its series had left in the meantime.
 */
export function mayChangeSeries(plan: MetricsPlan): boolean {
  return plan.keyParts.some(({ field }) => field.segment === 1) || plan.ttlMs > 0 ||
    filtersValues(plan);
}

/** True if the filter looks at map values. */
export function filtersValues({ filter }: MetricsPlan): boolean {
  return filter.some(({ field }) => field.segment === 1);
}

function planInstrument(role: ValueRole): InstrumentPlan {
  const { type, name, description, unit, field, isSlots, sumField } = role;
  const { bounds: upperBounds, native } = bucketsOf(role);
  const midpoints = isSlots ? slotMidpoints(field.arrayLength, upperBounds) : [];
  return {
    type,
    name,
    description,
    unit,
    field,
    slots: isSlots,
    sumField,
    upperBounds,
    ...(native && { native }),
    midpoints,
    storage: storageOf(type, field),
  };
}

/** Bounds of a histogram, and the native buckets that they are; none of other metrics. */
function bucketsOf(role: ValueRole): { bounds: readonly number[]; native?: NativeBuckets } {
  const { type, field, isSlots, boundaries, exponential } = role;
  if (type !== "histogram") return { bounds: [] };
  if (exponential !== undefined) return exponentialBuckets(exponential);
  const bounds = isSlots ? slotBounds(field, boundaries) : boundaries ?? DEFAULT_BOUNDARIES;
  // A first bucket without a lower end is the zero bucket only if nothing is below zero.
  const mayBeNegative = isFloatKind(field.kind) || isSignedKind(field.kind);
  return { bounds, native: isSlots || !mayBeNegative ? log2NativeBuckets(bounds) : undefined };
}

function storageOf(type: InstrumentType, field: Field): Storage {
  if (type === "histogram") return "histogram";
  if (isFloatKind(field.kind)) return "float";
  return type === "gauge" && isSignedKind(field.kind) ? "signed" : "unsigned";
}

/**
 * Bounds of a slot array. Slot i of `get_slot_idx` holds [2^(i-1), 2^i - 1], so its exact bound is
 * 2^i - 1; the last slot takes everything above and becomes +Inf.
 */
function slotBounds(field: Field, boundaries: readonly number[] | undefined): readonly number[] {
  return boundaries ?? Array.from({ length: field.arrayLength - 1 }, (_, slot) => 2 ** slot - 1);
}

/**
 * Middle of each slot, for estimating the sum; the open last slot counts as its lower edge, and the
 * first one begins at 0. Between whole bounds there are only whole values: the next slot begins 1 up.
 */
function slotMidpoints(slotCount: number, upperBounds: readonly number[]): number[] {
  const step = upperBounds.every(Number.isInteger) ? 1 : 0;
  return Array.from({ length: slotCount }, (_, slot) => {
    const low = slot === 0 ? Math.min(0, upperBounds[0] ?? 0) : upperBounds[slot - 1] + step;
    return slot < upperBounds.length ? (low + upperBounds[slot]) / 2 : low;
  });
}
