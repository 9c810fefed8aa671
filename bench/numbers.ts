/** Numbers as people read them, and the statistics that the benches report. */

const SIGNIFICANT_DIGITS = 3;

/** Three significant digits, without an exponent: 0.0123, 1.23, 12.3, 1230. */
export function formatNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = SIGNIFICANT_DIGITS - 1 - Math.floor(Math.log10(Math.abs(value)));
  if (digits < 0) return String(Math.round(value));
  // Rounding may add a digit: 9.999 is 10.0, not 10.00.
  const text = value.toFixed(Math.min(digits, 20));
  return digits > 0 && Math.abs(Number(text)) >= 10 ** (SIGNIFICANT_DIGITS - digits)
    ? value.toFixed(digits - 1)
    : text;
}

/** A time given in ns, in the unit that fits. */
export function formatTime(ns: number): string {
  return scaled(ns, [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]]);
}

/** A size in bytes, in the binary unit that fits. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]]);
}

/** A count: whole up to a million, then shortened. */
export function formatCount(count: number): string {
  if (count < 1e6) return formatWhole(count);
  return scaled(count, [[1e9, "G"], [1e6, "M"]]);
}

/** A whole number with its thousands apart: 12,345. */
export function formatWhole(value: number): string {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A part of one as percent. */
export function formatPercent(part: number): string {
  return `${formatNumber(part * 100)} %`;
}

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  const fitting = units.find(([size]) => Math.abs(value) >= size) ?? units[units.length - 1];
  return `${formatNumber(value / fitting[0])} ${fitting[1]}`;
}

/** The middle one; of an even number, the mean of the two. @throws Error if there is none. */
export function median(values: readonly number[]): number {
  const sorted = sortedOf(values);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The smallest value that at least `part` of the values do not exceed. @throws Error if there is none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = sortedOf(values);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

function sortedOf(values: readonly number[]): number[] {
  if (values.length === 0) throw new Error("no values");
  return values.toSorted((a, b) => a - b);
}
