/** Histograms as bars of stars. */

import { escapeControls, type Segment } from "../text/mod.ts";
import { valueToText } from "../decode/mod.ts";
import { humanText } from "./human_units.ts";

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
  const buckets = shownBuckets(histogram);
  if (buckets.length === 0) return `${title}${" ".repeat(UNIT_INDENT_COLUMNS)}no values yet\n`;
  const ranges = buckets.map((
    { range: [lower, upper] },
  ) => [valueToText(lower), valueToText(upper)]);
  const shown = buckets.map(({ count }) => count);
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

const MAX_BAR_COLUMNS = 50;
/** A shorter bar tells nothing. */
const MIN_BAR_COLUMNS = 4;
const HALF = "▌";
const FULL = "█";

/** For a terminal: labels, bounds with the unit that suits them, and bars as long as there is room. */
export function drawHistogram(
  histogram: HistogramText,
  { widthColumns }: { widthColumns: number },
): Segment[][] {
  const { unit, labels } = histogram;
  const buckets = shownBuckets(histogram);
  const lowers = buckets.map(({ range }) => humanText(Number(range[0]), unit));
  const uppers = buckets.map(({ range }) => humanText(Number(range[1]), unit));
  const counts = buckets.map(({ count }) => String(count));
  const widest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length));
  const [lower, upper, digits] = [lowers, uppers, counts].map(widest);
  const room = widthColumns - (lower + " → ".length + upper + 1 + digits + 1);
  const barColumns = room < MIN_BAR_COLUMNS ? 0 : Math.min(room, MAX_BAR_COLUMNS);
  const largest = buckets.reduce((most, { count }) => count > most ? count : most, 1n);
  const rows = buckets.map(({ count }, i): Segment[] => {
    const halves = Number(count * BigInt(2 * barColumns) / largest);
    return [
      `${lowers[i].padStart(lower)} → ${uppers[i].padStart(upper)} ${counts[i].padStart(digits)} `,
      ["bar", FULL.repeat(halves >> 1) + HALF.repeat(halves & 1)],
    ];
  });
  if (labels.length === 0) return rows;
  const title = labels.map(([name, value]) => `${name}=${labelText(value)}`).join(" ");
  return [[["faint", escapeControls(title)]], ...rows];
}

/** In quotes only where it would not be seen where it ends. */
function labelText(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

interface Bucket {
  readonly range: readonly [first: number | bigint, last: number | bigint];
  readonly count: bigint;
}

/** From the first to the last that counted. */
function shownBuckets(histogram: HistogramText): Bucket[] {
  const ranges = bucketRanges(histogram);
  const buckets = ranges.map((range, i) => ({ range, count: BigInt(histogram.counts[i]) }));
  const first = buckets.findIndex(({ count }) => count > 0n);
  const last = buckets.findLastIndex(({ count }) => count > 0n);
  return buckets.slice(Math.max(first, 0), last + 1);
}

/** First and last value of every bucket; exact for integers, else the bounds themselves. */
function bucketRanges({ upperBounds, isInteger }: HistogramText): Bucket["range"][] {
  const bounds = Array.from(upperBounds);
  const isExact = isInteger ?? bounds.every(Number.isInteger);
  const uppers = isExact ? bounds.map(exactBound) : bounds;
  const first = bounds.length > 0 && bounds[0] >= 0 ? 0 : -Infinity;
  return [...uppers, Infinity].map((upper, i) => {
    if (i === 0) return [first, upper];
    const previous = uppers[i - 1];
    return [typeof previous === "bigint" ? previous + 1n : previous, upper];
  });
}

/** As a double, a slot's bound of 2^i − 1 is 2^i from 2^54 on: this gives it back its last digit. */
function exactBound(bound: number): bigint | number {
  if (!Number.isInteger(bound)) return bound;
  const isRounded = bound > Number.MAX_SAFE_INTEGER && Number.isInteger(Math.log2(bound));
  return isRounded ? BigInt(bound) - 1n : BigInt(bound);
}
