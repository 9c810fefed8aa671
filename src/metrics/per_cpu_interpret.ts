/**
 * What a reduction of per-CPU values means, element by element and in plain terms: the specification
 * that the generated loop is tested against. Slow, allocates.
 */

import type { FieldKind } from "../decode/mod.ts";
import {
  type PerCpuBatch,
  type PerCpuMerge,
  type PerCpuMode,
  type PerCpuPlan,
  type PerCpuReducer,
  perCpuStrideBytes,
} from "./per_cpu.ts";

/** The interpreter of a plan. */
export function interpretPerCpu(plan: PerCpuPlan): PerCpuReducer {
  return (batch, target) => {
    for (let entry = 0; entry < batch.count; entry++) {
      const starts = startsOf(plan, { batch, entry });
      const at = entry * plan.valueSizeBytes;
      keepBytes(plan, { view: batch.view, starts, target, at });
      for (const merge of plan.merges) mergeField(merge, { view: batch.view, starts, target, at });
    }
  };
}

/** One entry at work. */
interface Entry {
  readonly view: DataView;
  /** Where each CPU's value begins. */
  readonly starts: readonly number[];
  readonly target: DataView;
  readonly at: number;
}

function startsOf(
  { valueSizeBytes }: PerCpuPlan,
  { batch, entry }: { batch: PerCpuBatch; entry: number },
): number[] {
  const stride = perCpuStrideBytes(valueSizeBytes);
  return Array.from(
    { length: batch.cpuCount },
    (_, cpu) => (entry * batch.cpuCount + cpu) * stride,
  );
}

function keepBytes({ kept, valueSizeBytes }: PerCpuPlan, { view, starts, target, at }: Entry) {
  const isUsed = (start: number) =>
    Array.from({ length: valueSizeBytes }).some((_, index) => view.getUint8(start + index) !== 0);
  const from = starts.find(isUsed) ?? starts[0];
  for (const { startBytes, endBytes } of kept) {
    for (let index = startBytes; index < endBytes; index++) {
      target.setUint8(at + index, view.getUint8(from + index));
    }
  }
}

function mergeField(merge: PerCpuMerge, { view, starts, target, at }: Entry): void {
  const { kind, mode, offsetBytes, sizeBytes, count } = merge;
  for (let element = 0; element < count; element++) {
    const offset = offsetBytes + element * sizeBytes;
    const values = starts.map((start) => readElement(view, { kind, at: start + offset }));
    const merged = values.every((value) => typeof value === "bigint")
      ? mergeIntegers(values, mode)
      : mergeNumbers(values.map(Number), mode);
    writeElement(target, { kind, at: at + offset }, merged);
  }
}

function mergeIntegers(values: readonly bigint[], mode: PerCpuMode): bigint {
  switch (mode) {
    case "sum":
      return values.reduce((a, b) => a + b);
    case "max":
      return values.reduce((a, b) => b > a ? b : a);
    case "min":
      return values.reduce((a, b) => b < a ? b : a);
    case "avg":
      return values.reduce((a, b) => a + b) / BigInt(values.length);
  }
}

/** Of doubles and integers of up to 32 bits. What is no number is taken only from the first CPU. */
function mergeNumbers(values: readonly number[], mode: PerCpuMode): number {
  switch (mode) {
    case "sum":
      return values.reduce((a, b) => a + b);
    case "max":
      return values.reduce((a, b) => b > a ? b : a);
    case "min":
      return values.reduce((a, b) => b < a ? b : a);
    case "avg":
      return values.reduce((a, b) => a + b) / values.length;
  }
}

interface Place {
  readonly kind: FieldKind;
  readonly at: number;
}

function readElement(view: DataView, { kind, at }: Place): number | bigint {
  switch (kind) {
    case "int8":
      return view.getInt8(at);
    case "uint8":
      return view.getUint8(at);
    case "int16":
      return view.getInt16(at, true);
    case "uint16":
      return view.getUint16(at, true);
    case "int32":
      return view.getInt32(at, true);
    case "uint32":
      return view.getUint32(at, true);
    case "int64":
      return view.getBigInt64(at, true);
    case "uint64":
      return view.getBigUint64(at, true);
    case "float32":
      return view.getFloat32(at, true);
    case "float64":
      return view.getFloat64(at, true);
    default:
      throw new Error(`BUG: ${kind} is not merged`);
  }
}

/** Integers are cut to their size, as the sum of a counter that goes around. */
function writeElement(view: DataView, { kind, at }: Place, value: number | bigint): void {
  if (typeof value === "bigint") return view.setBigUint64(at, BigInt.asUintN(64, value), true);
  switch (kind) {
    case "int8":
    case "uint8":
      return view.setUint8(at, value);
    case "int16":
    case "uint16":
      return view.setUint16(at, value, true);
    case "float32":
      return view.setFloat32(at, value, true);
    case "float64":
      return view.setFloat64(at, value, true);
    default:
      return view.setUint32(at, value, true);
  }
}
