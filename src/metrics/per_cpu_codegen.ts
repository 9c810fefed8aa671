/**
 * Compiles a per-CPU reduction into one loop over a batch: `per_cpu_interpret.ts` is its
 * specification. Nothing is allocated per entry, except where 64-bit integers are averaged.
 */

import { CodeWriter, commentName, isFloatKind, isSignedKind } from "../decode/mod.ts";
import {
  type ByteRange,
  type PerCpuMerge,
  type PerCpuPlan,
  type PerCpuReducer,
  perCpuStrideBytes,
} from "./per_cpu.ts";

/** A compiled reduction and its source, for `--dump-code`. */
export interface CompiledPerCpu {
  readonly reduce: PerCpuReducer;
  readonly source: string;
}

/** Compiles a plan. */
export function compilePerCpu(plan: PerCpuPlan): CompiledPerCpu {
  const source = generatePerCpu(plan);
  const run = new Function("view", "count", "cpuCount", "target", source) as (
    view: DataView,
    count: number,
    cpuCount: number,
    target: DataView,
  ) => void;
  return {
    source,
    reduce: ({ view, count, cpuCount }, target) => run(view, count, cpuCount, target),
  };
}

/** The source text of a plan's loop. */
export function generatePerCpu(plan: PerCpuPlan): string {
  const writer = new CodeWriter();
  const stride = perCpuStrideBytes(plan.valueSizeBytes);
  writer.line('"use strict";');
  writer.line(`const width = ${stride} * cpuCount;`);
  // p, end: values of the entry; q: value of a CPU; at: the result; o: offset of an element.
  writer.line("let p = 0, q = 0, end = 0, at = 0, o = 0, j = 0;");
  writer.line("let x = 0, y = 0, lo = 0, hi = 0, a = 0, b = 0, w = 0n;");
  writer.block("for (let row = 0; row < count; row++)", () => {
    writer.line("end = p + width;");
    if (plan.kept.length > 0) emitKept(writer, plan, stride);
    for (const merge of plan.merges) emitMerge(writer, merge, stride);
    writer.line("p = end;").line(`at += ${plan.valueSizeBytes};`);
  });
  writer.line("//# sourceURL=kmeter-per-cpu.js");
  return writer.toString();
}

/** Copies what is no amount from the first CPU whose value is not all zeros. */
function emitKept(writer: CodeWriter, plan: PerCpuPlan, stride: number): void {
  const wholeBytes = plan.valueSizeBytes & -4;
  const tail = Array.from(
    { length: plan.valueSizeBytes - wholeBytes },
    (_, index) => `view.getUint8(q + ${wholeBytes + index}) !== 0`,
  );
  writer.block(`for (q = p; q < end; q += ${stride})`, () => {
    writer.line("j = q;");
    writer.line(`while (j < q + ${wholeBytes} && view.getInt32(j, true) === 0) j += 4;`);
    writer.line(`if (${[`j < q + ${wholeBytes}`, ...tail].join(" || ")}) break;`);
  });
  writer.line("if (q === end) q = p;");
  for (const range of plan.kept) emitCopy(writer, range);
}

/** Up to this many bytes are copied without a loop. */
const MAX_UNROLLED_BYTES = 64;

function emitCopy(writer: CodeWriter, { startBytes, endBytes }: ByteRange): void {
  let offset = startBytes;
  if (endBytes - startBytes > MAX_UNROLLED_BYTES) {
    const loopEnd = startBytes + (endBytes - startBytes & -8);
    writer.block(`for (j = ${startBytes}; j < ${loopEnd}; j += 8)`, () => {
      writer.line("target.setBigUint64(at + j, view.getBigUint64(q + j, true), true);");
    });
    offset = loopEnd;
  }
  for (const size of [8, 4, 2, 1]) {
    const type = size === 8 ? "BigUint64" : `Uint${size * 8}`;
    const order = size === 1 ? "" : ", true";
    for (; offset + size <= endBytes; offset += size) {
      writer.line(
        `target.set${type}(at + ${offset}, view.get${type}(q + ${offset}${order})${order});`,
      );
    }
  }
}

/** An element being merged: expressions of its place in the source and in the result. */
interface Element {
  readonly first: string;
  readonly other: string;
  readonly result: string;
  readonly stride: number;
}

function emitMerge(writer: CodeWriter, merge: PerCpuMerge, stride: number): void {
  const { offsetBytes, sizeBytes, count, field, mode } = merge;
  writer.line(`// ${commentName(field)}: ${mode}`);
  const element = (offset: string): Element => ({
    first: `p + ${offset}`,
    other: `q + ${offset}`,
    result: `at + ${offset}`,
    stride,
  });
  if (count === 1) return emitElement(writer, merge, element(String(offsetBytes)));
  const endBytes = offsetBytes + count * sizeBytes;
  writer.block(`for (o = ${offsetBytes}; o < ${endBytes}; o += ${sizeBytes})`, () => {
    emitElement(writer, merge, element("o"));
  });
}

function emitElement(writer: CodeWriter, merge: PerCpuMerge, element: Element): void {
  if (merge.sizeBytes < 8 || isFloatKind(merge.kind)) emitNarrow(writer, merge, element);
  else if (merge.mode === "sum") emitWideSum(writer, element);
  else if (merge.mode === "avg") emitWideAverage(writer, merge, element);
  else emitWideExtreme(writer, merge, element);
}

function emitOtherCpus(writer: CodeWriter, { stride }: Element, body: () => void): void {
  writer.block(`for (q = p + ${stride}; q < end; q += ${stride})`, body);
}

/**
 * Sum modulo 2^64, added up in the result: V8 keeps a BigInt that goes from memory to memory in a
 * register, which is the fastest way measured (a variable or pairs of words cost half as much again).
 */
function emitWideSum(writer: CodeWriter, element: Element): void {
  const { first, other, result } = element;
  writer.line(`target.setBigUint64(${result}, view.getBigUint64(${first}, true), true);`);
  emitOtherCpus(writer, element, () => {
    writer.line(
      `target.setBigUint64(${result}, target.getBigUint64(${result}, true) + ` +
        `view.getBigUint64(${other}, true), true);`,
    );
  });
}

/** Exact: the sum may need more than 64 bits. */
function emitWideAverage(writer: CodeWriter, { kind }: PerCpuMerge, element: Element): void {
  const type = isSignedKind(kind) ? "BigInt64" : "BigUint64";
  writer.line(`w = view.get${type}(${element.first}, true);`);
  emitOtherCpus(writer, element, () => {
    writer.line(`w += view.get${type}(${element.other}, true);`);
  });
  writer.line(`target.set${type}(${element.result}, w / BigInt(cpuCount), true);`);
}

/** Largest or smallest 64-bit integer, compared as two words. */
function emitWideExtreme(writer: CodeWriter, { kind, mode }: PerCpuMerge, element: Element): void {
  const { first, other, result } = element;
  const high = isSignedKind(kind) ? "Int32" : "Uint32";
  const than = mode === "max" ? ">" : "<";
  writer.line(`lo = view.getUint32(${first}, true);`);
  writer.line(`hi = view.get${high}(${first} + 4, true);`);
  emitOtherCpus(writer, element, () => {
    writer.line(`a = view.getUint32(${other}, true);`);
    writer.line(`b = view.get${high}(${other} + 4, true);`);
    writer.line(`if (b ${than} hi || b === hi && a ${than} lo) { lo = a; hi = b; }`);
  });
  writer.line(`target.setUint32(${result}, lo, true);`);
  writer.line(`target.set${high}(${result} + 4, hi, true);`);
}

/** Integers of up to 32 bits and floats: a double holds every sum exactly enough. */
function emitNarrow(writer: CodeWriter, merge: PerCpuMerge, element: Element): void {
  const { kind, mode, sizeBytes } = merge;
  const sign = isSignedKind(kind) ? "Int" : "Uint";
  const type = `${isFloatKind(kind) ? "Float" : sign}${sizeBytes * 8}`;
  const order = sizeBytes === 1 ? "" : ", true";
  writer.line(`x = view.get${type}(${element.first}${order});`);
  emitOtherCpus(writer, element, () => {
    writer.line(`y = view.get${type}(${element.other}${order});`);
    switch (mode) {
      case "sum":
      case "avg":
        writer.line("x += y;");
        break;
      case "max":
        writer.line("if (y > x) x = y;");
        break;
      case "min":
        writer.line("if (y < x) x = y;");
    }
  });
  const result = mode === "avg" ? "x / cpuCount" : "x";
  writer.line(`target.set${type}(${element.result}, ${result}${order});`);
}
