/** Random layouts, modes and bytes: the generated reduction is the interpreted one, bit by bit. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Field, FieldKind } from "../../../src/decode/mod.ts";
import {
  compilePerCpu,
  interpretPerCpu,
  type PerCpuBatch,
  perCpuStrideBytes,
  planPerCpu,
} from "../../../src/metrics/mod.ts";
import { makeField } from "../decode/fields.ts";
import type { Random } from "../random.ts";

const SIZES: readonly (readonly [FieldKind, number])[] = [
  ["int8", 1],
  ["uint8", 1],
  ["int16", 2],
  ["uint16", 2],
  ["int32", 4],
  ["uint32", 4],
  ["int64", 8],
  ["uint64", 8],
  ["float32", 4],
  ["float64", 8],
  ["bool", 1],
  ["cstring", 16],
  ["bytes", 83],
];
const MODES = ["sum", "max", "min", "avg"] as const;

/** Fields one behind the other with holes between them; now and then two share their bytes. */
function randomFields(random: Random): { fields: Field[]; valueSizeBytes: number } {
  const fields: Field[] = [];
  let offset = random.between(0, 3);
  for (let index = random.between(1, 6); index > 0; index--) {
    const [kind, size] = random.pick(SIZES);
    const arrayLength = size <= 8 && random.chance(0.3) ? random.between(1, 9) : 0;
    const sizeBytes = size * Math.max(1, arrayLength);
    const offsetBytes = random.chance(0.1) && fields.length > 0
      ? fields[fields.length - 1].offsetBytes
      : offset;
    const annotations: Record<string, string> = random.chance(0.2)
      ? { "ebpf.map.percpu": random.pick(MODES) }
      : random.chance(0.2)
      ? { "metrics.type": "key" }
      : {};
    fields.push(makeField({ kind, sizeBytes, arrayLength, offsetBytes, segment: 1, annotations }));
    offset = Math.max(offset, offsetBytes + sizeBytes) + random.between(0, 5);
  }
  return { fields, valueSizeBytes: offset };
}

/** Values of which many are all zeros, and many begin with zeros. */
function randomBatch(random: Random, valueSizeBytes: number): PerCpuBatch {
  const count = random.between(1, 5);
  const cpuCount = random.between(1, 9);
  const stride = perCpuStrideBytes(valueSizeBytes);
  const bytes = new Uint8Array(count * cpuCount * stride);
  for (let value = 0; value < count * cpuCount; value++) {
    if (random.chance(0.4)) continue;
    const used = random.bytes(random.between(1, valueSizeBytes));
    bytes.set(used, value * stride + valueSizeBytes - used.length);
  }
  return { view: new DataView(bytes.buffer), count, cpuCount };
}

/** NaNs have many forms, and nothing says which one a sum has. */
function withOneNaN(
  target: DataView,
  { fields, valueSizeBytes }: { fields: readonly Field[]; valueSizeBytes: number },
): Uint8Array {
  for (let start = 0; start < target.byteLength; start += valueSizeBytes) {
    for (const { kind, offsetBytes, sizeBytes } of fields) {
      for (let at = start + offsetBytes; at < start + offsetBytes + sizeBytes;) {
        if (kind === "float32" && Number.isNaN(target.getFloat32(at, true))) {
          target.setUint32(at, 0x7fc00000, true);
        }
        if (kind === "float64" && Number.isNaN(target.getFloat64(at, true))) {
          target.setBigUint64(at, 0x7ff8_0000_0000_0000n, true);
        }
        at += kind === "float64" ? 8 : 4;
      }
    }
  }
  return new Uint8Array(target.buffer);
}

/** The generated reduction of one random batch is the interpreted one. */
export function checkPerCpu(random: Random): void {
  const layout = randomFields(random);
  const plan = planPerCpu(layout.fields, { mode: random.pick(MODES), ...layout });
  const batch = randomBatch(random, layout.valueSizeBytes);
  const run = (reduce: ReturnType<typeof interpretPerCpu>) => {
    const target = new DataView(new ArrayBuffer(batch.count * layout.valueSizeBytes));
    reduce(batch, target);
    return withOneNaN(target, layout);
  };
  assertEquals(run(compilePerCpu(plan).reduce), run(interpretPerCpu(plan)));
}
