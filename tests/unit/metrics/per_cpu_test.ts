// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { type Field, type FieldKind, readField } from "../../../src/decode/mod.ts";
import {
  compilePerCpu,
  interpretPerCpu,
  type PerCpuBatch,
  type PerCpuMode,
  perCpuStrideBytes,
  planPerCpu,
} from "../../../src/metrics/mod.ts";
import { makeField } from "../decode/fields.ts";
import { HOSTILE_NAMES } from "../../fuzz/mutate.ts";

const MODES = ["sum", "max", "min", "avg"] as const;
type Mode = typeof MODES[number];

/** Writers of one value, by kind. */
const WRITERS: Readonly<
  Record<string, (view: DataView, at: number, value: number | bigint) => void>
> = {
  int8: (view, at, value) => view.setInt8(at, Number(value)),
  uint16: (view, at, value) => view.setUint16(at, Number(value), true),
  int32: (view, at, value) => view.setInt32(at, Number(value), true),
  uint32: (view, at, value) => view.setUint32(at, Number(value), true),
  int64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  uint64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  float32: (view, at, value) => view.setFloat32(at, Number(value), true),
  float64: (view, at, value) => view.setFloat64(at, Number(value), true),
};
const SIZES: Readonly<Record<string, number>> = {
  int8: 1,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float32: 4,
  float64: 8,
};

function valueField(kind: FieldKind, parts: Partial<Field> = {}): Field {
  return makeField({ kind, sizeBytes: SIZES[kind], segment: 1, ...parts });
}

/** What the kernel returns for entries whose CPUs hold these values, each written by `write`. */
function batchOf<T>(
  entries: readonly (readonly T[])[],
  options: { valueSizeBytes: number; write: (view: DataView, at: number, value: T) => void },
) {
  const { valueSizeBytes, write } = options;
  const stride = perCpuStrideBytes(valueSizeBytes);
  const cpuCount = entries[0].length;
  const view = new DataView(new ArrayBuffer(entries.length * cpuCount * stride));
  entries.flat().forEach((value, row) => write(view, row * stride, value));
  return { view, count: entries.length, cpuCount };
}

/** Reduced values, the same from the generated loop and from its specification. */
function reduce(
  fields: readonly Field[],
  options: { mode: PerCpuMode; valueSizeBytes: number; batch: PerCpuBatch },
): DataView {
  const { batch, valueSizeBytes } = options;
  const plan = planPerCpu(fields, options);
  const target = () => new DataView(new ArrayBuffer(batch.count * valueSizeBytes));
  const [generated, interpreted] = [target(), target()];
  compilePerCpu(plan).reduce(batch, generated);
  interpretPerCpu(plan)(batch, interpreted);
  assertEquals(new Uint8Array(generated.buffer), new Uint8Array(interpreted.buffer));
  return generated;
}

function readReduced(field: Field, target: DataView, at = 0) {
  return readField(field, { segments: [target, target], offsets: [0, at] });
}

const MAX64 = 2n ** 64n - 1n;
const REDUCTIONS: readonly [FieldKind, readonly (number | bigint)[], Record<Mode, unknown>][] = [
  ["uint64", [1n, 2n, 6n], { sum: 9n, max: 6n, min: 1n, avg: 3n }],
  ["uint64", [2n ** 53n, 1n, 0n], {
    sum: 2n ** 53n + 1n,
    max: 2n ** 53n,
    min: 0n,
    avg: (2n ** 53n + 1n) / 3n,
  }],
  ["uint64", [0xffffffffn, 1n, 0xffffffffn], {
    sum: 0x1_ffffffffn,
    max: 0xffffffffn,
    min: 1n,
    avg: 0x1_ffffffffn / 3n,
  }],
  ["uint64", [MAX64, 2n, 0n], { sum: 1n, max: MAX64, min: 0n, avg: (MAX64 + 2n) / 3n }],
  ["int64", [-5n, 3n, -1n], { sum: -3n, max: 3n, min: -5n, avg: -1n }],
  ["int64", [-(2n ** 62n), 7n, 0n], {
    sum: 7n - 2n ** 62n,
    max: 7n,
    min: -(2n ** 62n),
    avg: (7n - 2n ** 62n) / 3n,
  }],
  ["uint32", [0xffffffff, 2, 0], { sum: 1, max: 0xffffffff, min: 0, avg: 0x55555555 }],
  ["int32", [-7, 3, -3], { sum: -7, max: 3, min: -7, avg: -2 }],
  ["uint16", [65535, 1, 2], { sum: 2, max: 65535, min: 1, avg: 21846 }],
  ["int8", [-128, 127, 0], { sum: -1, max: 127, min: -128, avg: 0 }],
  ["float64", [0.5, -2, 4], { sum: 2.5, max: 4, min: -2, avg: 2.5 / 3 }],
  ["float32", [0.5, -2, 4], { sum: 2.5, max: 4, min: -2, avg: Math.fround(2.5 / 3) }],
];
for (const [kind, values, expected] of REDUCTIONS) {
  Deno.test(`${kind} of three CPUs: ${values.join(", ")}`, () => {
    const field = valueField(kind);
    const batch = batchOf([values], { valueSizeBytes: SIZES[kind], write: WRITERS[kind] });
    const reduced = MODES.map((mode) => {
      const target = reduce([field], { mode, valueSizeBytes: SIZES[kind], batch });
      return readReduced(field, target);
    });
    assertEquals(reduced, MODES.map((mode) => expected[mode]));
  });
}

Deno.test("entries are reduced one by one, slot by slot", () => {
  const field = valueField("uint32", { arrayLength: 3, sizeBytes: 12 });
  const batch = batchOf([[[1, 0, 5], [2, 0, 6]], [[7, 8, 9], [0, 0, 0xffffffff]]], {
    valueSizeBytes: 12,
    write: (view, at, slots: number[]) =>
      slots.forEach((count, slot) => view.setUint32(at + 4 * slot, count, true)),
  });
  const target = reduce([field], { mode: "sum", valueSizeBytes: 12, batch });
  assertEquals([readReduced(field, target), readReduced(field, target, 12)], [
    [3, 0, 11],
    [7, 8, 8],
  ]);
});

Deno.test("a field's own mode goes before the data source's", () => {
  const own = (mode: PerCpuMode) => ({ annotations: { "ebpf.map.percpu": mode } });
  const fields = [
    valueField("uint64"),
    valueField("uint64", { offsetBytes: 8, ...own("max") }),
    valueField("uint32", { offsetBytes: 16, ...own("min") }),
    valueField("uint32", { offsetBytes: 20, ...own("avg") }),
    // The text form of a number speaks for the number.
    valueField("uint32", { offsetBytes: 24 }),
    valueField("uint32", { offsetBytes: 24, format: { type: "duration" }, ...own("sum") }),
  ];
  const batch = batchOf([[10, 20, 60]], {
    valueSizeBytes: 28,
    write: (view, at, value) => {
      view.setBigUint64(at, BigInt(value), true);
      view.setBigUint64(at + 8, BigInt(value), true);
      for (const offset of [16, 20, 24]) view.setUint32(at + offset, value, true);
    },
  });
  const reduced = (mode: PerCpuMode) => {
    const target = reduce(fields, { mode, valueSizeBytes: 28, batch });
    return fields.map((field) => readReduced(field, target));
  };
  assertEquals(reduced("sum"), [90n, 60n, 10, 30, 90, 90]);
  assertEquals(reduced("min"), [10n, 60n, 10, 30, 90, 90]);
});

Deno.test("what is no amount comes from the first CPU that has anything", () => {
  const key = { "metrics.type": "key" };
  const fields = [
    valueField("uint32", { annotations: key }),
    makeField({ kind: "cstring", sizeBytes: 4, offsetBytes: 4, segment: 1 }),
    valueField("uint32", { offsetBytes: 8 }),
  ];
  const batch = batchOf([[[0, "", 0], [7, "abc", 1], [7, "abd", 2]]], {
    valueSizeBytes: 12,
    write: (view, at, [id, text, count]: (string | number)[]) => {
      view.setUint32(at, Number(id), true);
      new TextEncoder().encodeInto(String(text), new Uint8Array(view.buffer, at + 4, 4));
      view.setUint32(at + 8, Number(count), true);
    },
  });
  const target = reduce(fields, { mode: "sum", valueSizeBytes: 12, batch });
  assertEquals(fields.map((field) => readReduced(field, target)), [7, "abc", 3]);
});

Deno.test("names of fields cannot add code", () => {
  for (const name of HOSTILE_NAMES) {
    const fields = [makeField({ name, kind: "uint32", sizeBytes: 4, segment: 1 })];
    const { source, reduce } = compilePerCpu(
      planPerCpu(fields, { mode: "sum", valueSizeBytes: 4 }),
    );
    assertEquals(source.includes("evil"), false, source);
    // Two CPUs, each value padded to eight bytes.
    const view = new DataView(new Uint32Array([2, 0, 3, 0]).buffer);
    const target = new DataView(new ArrayBuffer(4));
    reduce({ view, count: 1, cpuCount: 2 }, target);
    assertEquals(target.getUint32(0, true), 5, JSON.stringify(name));
  }
});
