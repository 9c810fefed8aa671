/**
 * Reduces the values that a per-CPU map holds for one key to one value.
 *
 * Layout of the source: per entry `cpuCount` values, each at a multiple of 8 bytes.
 * Layout of the result: one value per entry, without padding.
 */

import {
  CodeWriter,
  elementSizeBytes,
  type Field,
  isFloatKind,
  isNumericKind,
  isSignedKind,
} from "../decode/mod.ts";

/** `ebpf.map.percpu`: how the values of the CPUs become one. With `label` they stay apart. */
export type PerCpuMode = "sum" | "max" | "min" | "avg";

/** Source of a reduction. */
export interface PerCpuBatch {
  readonly view: DataView;
  readonly count: number;
  readonly cpuCount: number;
  /** Size of one value without its padding. */
  readonly valueSizeBytes: number;
}

/** Writes the reduced values of a batch into `target`. */
export type PerCpuReducer = (batch: PerCpuBatch, target: DataView) => void;

/** Bytes that one CPU's value takes in what the kernel returns. */
export function perCpuStrideBytes(valueSizeBytes: number): number {
  return valueSizeBytes + 7 & -8;
}

/**
 * Compiles a reduction of the numeric value fields; other bytes come from the first CPU that is not all zeros.
 * A field's own `ebpf.map.percpu` goes before `mode`; without one, a metric key is no amount, and is
 * taken as it is.
 */
export function compilePerCpuReducer(fields: readonly Field[], mode: PerCpuMode): PerCpuReducer {
  const code = generatePerCpuReducer(fields, mode);
  const merge = new Function("target", "at", "view", "from", "stride", "cpuCount", code) as (
    target: DataView,
    at: number,
    view: DataView,
    from: number,
    stride: number,
    cpuCount: number,
  ) => void;
  return (batch, target) => {
    const stride = perCpuStrideBytes(batch.valueSizeBytes);
    const source = bytesOf(batch.view);
    const result = bytesOf(target);
    for (let entry = 0; entry < batch.count; entry++) {
      const from = entry * stride * batch.cpuCount;
      const at = entry * batch.valueSizeBytes;
      const cpu = firstUsedCpu(source, { from, stride, ...batch });
      const start = from + cpu * stride;
      result.set(source.subarray(start, start + batch.valueSizeBytes), at);
      merge(target, at, batch.view, from, stride, batch.cpuCount);
    }
  };
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function firstUsedCpu(
  bytes: Uint8Array,
  entry: { from: number; stride: number; cpuCount: number; valueSizeBytes: number },
): number {
  for (let cpu = 0; cpu < entry.cpuCount; cpu++) {
    const start = entry.from + cpu * entry.stride;
    for (let index = 0; index < entry.valueSizeBytes; index++) {
      if (bytes[start + index] !== 0) return cpu;
    }
  }
  return 0;
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

/** Source text of the merge of one entry, for `--dump-code`. */
export function generatePerCpuReducer(fields: readonly Field[], standard: PerCpuMode): string {
  const writer = new CodeWriter();
  writer.line("let cpu = 0, p = 0, x = 0, y = 0, lo = 0, hi = 0, o = 0;");
  for (const field of numericFields(fields)) {
    const mode = mergeModeOf(field, { fields, mode: standard });
    if (mode === undefined) continue;
    const size = elementSizeBytes(field);
    const count = Math.max(1, field.arrayLength);
    writer.block(
      `for (o = ${field.offsetBytes}; o < ${field.offsetBytes + count * size}; o += ${size})`,
      () => {
        if (mode === "sum" && size === 8 && !isFloatKind(field.kind)) emitWideSum(writer);
        else if (size === 8 && !isFloatKind(field.kind)) emitWide(writer, field, mode);
        else emitNarrow(writer, field, mode);
      },
    );
  }
  writer.line("//# sourceURL=kmeter-per-cpu.js");
  return writer.toString();
}

function emitCpuLoop(writer: CodeWriter, first: number, body: () => void): void {
  writer.block(`for (cpu = ${first}; cpu < cpuCount; cpu++)`, () => {
    writer.line("p = from + cpu * stride + o;");
    body();
  });
}

/** Exact 64-bit sum modulo 2^64, without BigInt. */
function emitWideSum(writer: CodeWriter): void {
  writer.line("lo = 0; hi = 0;");
  emitCpuLoop(writer, 0, () => {
    writer.line("lo += view.getUint32(p, true);").line("hi += view.getUint32(p + 4, true);");
  });
  writer.line("hi += Math.floor(lo / 4294967296);");
  writer.line("target.setUint32(at + o, lo, true);").line(
    "target.setUint32(at + o + 4, hi, true);",
  );
}

/** Maximum, minimum and average of 64-bit integers, exact by BigInt. */
function emitWide(writer: CodeWriter, field: Field, mode: PerCpuMode): void {
  const type = isSignedKind(field.kind) ? "BigInt64" : "BigUint64";
  writer.line(`x = view.get${type}(from + o, true);`);
  emitCpuLoop(writer, 1, () => {
    writer.line(`y = view.get${type}(p, true);`);
    writer.line(mergeStatement(mode));
  });
  if (mode === "avg") writer.line("x /= BigInt(cpuCount);");
  writer.line(`target.set${type}(at + o, x, true);`);
}

function emitNarrow(writer: CodeWriter, field: Field, mode: PerCpuMode): void {
  const size = elementSizeBytes(field);
  const type = isFloatKind(field.kind)
    ? `Float${size * 8}`
    : `${isSignedKind(field.kind) ? "Int" : "Uint"}${size * 8}`;
  writer.line(`x = view.get${type}(from + o, true);`);
  emitCpuLoop(writer, 1, () => {
    writer.line(`y = view.get${type}(p, true);`);
    writer.line(mergeStatement(mode));
  });
  if (mode === "avg") writer.line("x /= cpuCount;");
  writer.line(`target.set${type}(at + o, x, true);`);
}

function mergeStatement(mode: PerCpuMode): string {
  switch (mode) {
    case "sum":
    case "avg":
      return "x += y;";
    case "max":
      return "if (y > x) x = y;";
    case "min":
      return "if (y < x) x = y;";
  }
}
