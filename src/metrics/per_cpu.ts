/**
 * What a reduction of per-CPU values does: one value per key out of one value per key and CPU.
 *
 * Layout of the source: per entry `cpuCount` values, each at a multiple of 8 bytes.
 * Layout of the result: one value per entry, without padding.
 *
 * `per_cpu_interpret.ts` is the specification, `per_cpu_codegen.ts` what runs.
 */

import { elementSizeBytes, type Field, type FieldKind, isNumericKind } from "../decode/mod.ts";

/** `ebpf.map.percpu`: how the values of the CPUs become one. With `label` they stay apart. */
export type PerCpuMode = "sum" | "max" | "min" | "avg";

/** Source of a reduction. */
export interface PerCpuBatch {
  readonly view: DataView;
  readonly count: number;
  readonly cpuCount: number;
}

/** Writes the reduced values of a batch into `target`. */
export type PerCpuReducer = (batch: PerCpuBatch, target: DataView) => void;

/** Numbers of one kind in a row that are merged alike. */
export interface PerCpuMerge {
  /** For comments in generated code. */
  readonly field: Field;
  readonly kind: FieldKind;
  readonly mode: PerCpuMode;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly count: number;
}

/** Bytes in a row. */
export interface ByteRange {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** A reduction of one layout. */
export interface PerCpuPlan {
  /** Size of one value without its padding. */
  readonly valueSizeBytes: number;
  /** In the order in which they write; fields of a union overlap. */
  readonly merges: readonly PerCpuMerge[];
  /** What no merge writes; it comes from the first CPU whose value is not all zeros. */
  readonly kept: readonly ByteRange[];
}

/** Bytes that one CPU's value takes in what the kernel returns. */
export function perCpuStrideBytes(valueSizeBytes: number): number {
  return valueSizeBytes + 7 & -8;
}

/**
 * Plans a reduction of the numeric value fields.
 * @param options.mode for fields without an own `ebpf.map.percpu`. Without one, a metric key is no
 * amount, and is taken as it is.
 */
export function planPerCpu(
  fields: readonly Field[],
  options: { mode: PerCpuMode; valueSizeBytes: number },
): PerCpuPlan {
  const { mode, valueSizeBytes } = options;
  const merges = numericFields(fields).flatMap((field): PerCpuMerge[] => {
    const own = mergeModeOf(field, { fields, mode });
    if (own === undefined) return [];
    return [{
      field,
      kind: field.kind,
      mode: own,
      offsetBytes: field.offsetBytes,
      sizeBytes: elementSizeBytes(field),
      count: Math.max(1, field.arrayLength),
    }];
  });
  return { valueSizeBytes, merges, kept: keptRanges(valueSizeBytes, merges) };
}

const MERGE_MODES: readonly PerCpuMode[] = ["sum", "max", "min", "avg"];

/** Numbers and arrays of numbers of the value. Text twins share their bytes. */
function numericFields(fields: readonly Field[]): Field[] {
  return fields.filter((field) =>
    field.segment === 1 && field.format === undefined && field.bitSize === 0 &&
    field.kind !== "bool" && isNumericKind(field.kind)
  );
}

/** How a field is merged; undefined if it is not. What its text twin says is meant for it, too. */
function mergeModeOf(
  field: Field,
  context: { fields: readonly Field[]; mode: PerCpuMode },
): PerCpuMode | undefined {
  const twins = context.fields.filter((other) =>
    other === field || (other.format !== undefined && other.segment === field.segment &&
      other.offsetBytes === field.offsetBytes && other.sizeBytes === field.sizeBytes)
  );
  const own = twins.map(({ annotations }) => annotations["ebpf.map.percpu"])
    .find((text) => text !== undefined);
  if (own !== undefined) return MERGE_MODES.find((mode) => mode === own);
  const isKey = twins.some(({ annotations }) => annotations["metrics.type"] === "key");
  return isKey ? undefined : context.mode;
}

function keptRanges(valueSizeBytes: number, merges: readonly PerCpuMerge[]): ByteRange[] {
  const sorted = [...merges].sort((a, b) => a.offsetBytes - b.offsetBytes);
  const ranges: ByteRange[] = [];
  let startBytes = 0;
  for (const { offsetBytes, sizeBytes, count } of sorted) {
    if (offsetBytes > startBytes) ranges.push({ startBytes, endBytes: offsetBytes });
    startBytes = Math.max(startBytes, offsetBytes + sizeBytes * count);
  }
  if (valueSizeBytes > startBytes) ranges.push({ startBytes, endBytes: valueSizeBytes });
  return ranges;
}
