/** Histograms as bars of stars. */

import { escapeControls } from "../text/mod.ts";

export interface HistogramText {
  /** Name of the metric. */
  readonly title: string;
  /** Unit of the bounds, may be "". */
  readonly unit: string;
  /** Label names and values, in order. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Inclusive, ascending, without +Inf. */
  readonly upperBounds: ArrayLike<number>;
  /** One more than `upperBounds`: the last is what lies above all bounds. */
  readonly counts: ArrayLike<number | bigint>;
  /**
   * True if values are integers, so that a bucket begins at the previous bound + 1. Absent: true if
   * all bounds are integers.
   */
  readonly isInteger?: boolean;
}

const BAR_COLUMNS = 40;
const BOUND_COLUMNS = 10;
const COUNT_COLUMNS = 8;
const UNIT_COLUMNS = 16;
/** Blanks before the unit, so that it ends above the arrow. */
const UNIT_INDENT_COLUMNS = 8;

/** `name{a="x",b="y"}`, safe for the terminal. */
export function seriesTitle(
  title: string,
  labels: readonly (readonly [name: string, value: string])[],
): string {
  const pairs = labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return escapeControls(pairs.length === 0 ? title : `${title}{${pairs.join(",")}}`);
}

/**
 * One histogram: title, header, and a row per bucket from the first to the last that counted.
 *
 * Buckets above all bounds show as `N -> +Inf`. A histogram that counted nothing says so.
 */
export function renderHistogram(histogram: HistogramText): string {
  const title = `${seriesTitle(histogram.title, histogram.labels)}\n`;
  const counts = Array.from(histogram.counts, (count) => BigInt(count));
  const first = counts.findIndex((count) => count > 0n);
  if (first < 0) return `${title}${" ".repeat(UNIT_INDENT_COLUMNS)}no values yet\n`;
  const last = counts.findLastIndex((count) => count > 0n);
  const ranges = bucketRanges(histogram).slice(first, last + 1);
  const shown = counts.slice(first, last + 1);
  const columns = {
    bound: Math.max(BOUND_COLUMNS, ...ranges.flat().map((text) => text.length)),
    count: Math.max(COUNT_COLUMNS, ...shown.map((count) => String(count).length)),
  };
  const unit = escapeControls(histogram.unit);
  const unitColumns = UNIT_COLUMNS + 2 * (columns.bound - BOUND_COLUMNS);
  const header = `${" ".repeat(UNIT_INDENT_COLUMNS)}${unit.padEnd(unitColumns)} : ` +
    `${"count".padEnd(columns.count)} distribution\n`;
  const largest = shown.reduce((a, b) => (a > b ? a : b));
  const rows = shown.map((count, i) => {
    const [lower, upper] = ranges[i];
    const stars = Number(count * BigInt(BAR_COLUMNS) / largest);
    return `${lower.padStart(columns.bound)} -> ${upper.padEnd(columns.bound)} : ` +
      `${String(count).padEnd(columns.count)} |${"*".repeat(stars).padEnd(BAR_COLUMNS)}|\n`;
  });
  return title + header + rows.join("");
}

/** First and last value of every bucket; exact for integers, else the bounds themselves. */
function bucketRanges({ upperBounds, isInteger }: HistogramText): [string, string][] {
  const bounds = Array.from(upperBounds);
  const isExact = isInteger ?? bounds.every(Number.isInteger);
  const uppers = isExact ? bounds.map(exactBound) : bounds;
  const first = bounds.length > 0 && bounds[0] >= 0 ? "0" : "-Inf";
  return [...uppers, "+Inf"].map((upper, i) => {
    if (i === 0) return [first, String(upper)];
    const previous = uppers[i - 1];
    return [String(typeof previous === "bigint" ? previous + 1n : previous), String(upper)];
  });
}

/** As a double, a slot's bound of 2^i − 1 is 2^i from 2^54 on: this gives it back its last digit. */
function exactBound(bound: number): bigint | number {
  if (!Number.isInteger(bound)) return bound;
  const isRounded = bound > Number.MAX_SAFE_INTEGER && Number.isInteger(Math.log2(bound));
  return isRounded ? BigInt(bound) - 1n : BigInt(bound);
}
