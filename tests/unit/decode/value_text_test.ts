// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import type { FieldKind, FieldValue } from "../../../src/decode/mod.ts";
import { valueToText } from "../../../src/decode/mod.ts";

const CASES: readonly [FieldValue, FieldKind | undefined, string][] = [
  [-5, "int32", "-5"],
  [2n ** 64n - 1n, "uint64", "18446744073709551615"],
  [true, "bool", "true"],
  [0.1, "float64", "0.1"],
  [Math.fround(0.1), "float32", "0.1"],
  [Math.fround(16777216), "float32", "16777216"],
  [Math.fround(1 / 3), "float32", "0.33333334"],
  [Math.fround(0.1), undefined, "0.10000000149011612"],
  [NaN, "float64", "NaN"],
  [Infinity, "float32", "+Inf"],
  [-Infinity, "float64", "-Inf"],
  ["sh\x1b", "cstring", "sh\x1b"],
  [Uint8Array.of(0, 1, 254), "bytes", "0001fe"],
  [[1, 2n, Math.fround(0.1)], "float32", "1,2,0.1"],
  [[], "uint8", ""],
];

for (const [value, kind, expected] of CASES) {
  Deno.test(`${kind} ${value} is "${expected}" as text`, () => {
    assertEquals(valueToText(value, kind), expected);
  });
}

Deno.test("the text of a single reads back as the same single", () => {
  const bits = new DataView(new ArrayBuffer(4));
  for (let i = 1; i < 2000; i++) {
    bits.setUint32(0, Math.imul(i, 2654435761));
    const value = bits.getFloat32(0);
    if (Number.isFinite(value)) {
      assertEquals(Math.fround(Number(valueToText(value, "float32"))), value);
    }
  }
});
