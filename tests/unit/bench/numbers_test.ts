// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import {
  formatBytes,
  formatCount,
  formatNumber,
  formatPercent,
  formatTime,
  formatWhole,
  median,
  quantile,
} from "../../../bench/numbers.ts";

Deno.test("numbers have three significant digits and no exponent", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [1, "1.00"],
    [12.34, "12.3"],
    [123.4, "123"],
    [1234.5, "1235"],
    [1234567, "1234567"],
    [0.01234, "0.0123"],
    [-2.5, "-2.50"],
    [0.000001234, "0.00000123"],
  ];
  for (const [value, text] of cases) assertEquals(formatNumber(value), text);
});

Deno.test("rounding up to the next power of ten adds no digit", () => {
  const cases: [number, string][] = [
    [9.999, "10.0"],
    [99.99, "100"],
    [999.9, "1000"],
    [0.9999, "1.00"],
    [0.09996, "0.100"],
  ];
  for (const [value, text] of cases) assertEquals(formatNumber(value), text);
});

Deno.test("times, sizes and counts are in the unit that fits", () => {
  assertEquals([0.5, 12, 1500, 2.5e6, 3e9].map(formatTime), [
    "0.500 ns",
    "12.0 ns",
    "1.50 µs",
    "2.50 ms",
    "3.00 s",
  ]);
  assertEquals([0, 512, 2048, 3 * 2 ** 20, 2 ** 31].map(formatBytes), [
    "0 B",
    "512 B",
    "2.00 KiB",
    "3.00 MiB",
    "2.00 GiB",
  ]);
  assertEquals([0, 999, 1000, 999_999, 1e6, 2.5e9].map(formatCount), [
    "0",
    "999",
    "1,000",
    "999,999",
    "1.00 M",
    "2.50 G",
  ]);
  assertEquals(formatWhole(1234567.4), "1,234,567");
  assertEquals(formatPercent(0.0312), "3.12 %");
});

Deno.test("medians and quantiles", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(quantile([4, 1, 2, 3], 0.5), 2);
  assertEquals(quantile([4, 1, 2, 3], 0.99), 4);
  assertEquals(quantile([4, 1, 2, 3], 0), 1);
  assertThrows(() => median([]), Error, "no values");
});
