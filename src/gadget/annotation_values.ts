/** What values an annotation may have, and how they are read. */

import { nearestName, quoteNames } from "../text/mod.ts";
import { parseDurationMs } from "./duration.ts";
import {
  type ExponentialBoundaries,
  exponentialRange,
  MAX_EXPONENTIAL_BUCKETS,
  parseExponential,
} from "./exponential_boundaries.ts";

/** Rule for the value of an annotation. */
export type ValueRule =
  | { readonly kind: "text" }
  | { readonly kind: "flag" }
  | { readonly kind: "count"; readonly least?: number; readonly most?: number }
  /** A count, or the word `type`: as wide as the type needs. */
  | { readonly kind: "width" }
  | { readonly kind: "duration" }
  | { readonly kind: "boundaries" }
  | { readonly kind: "choice"; readonly values: readonly string[] };

/** A value in its normal form, or why it is refused. */
export type ValueCheck =
  | { readonly value: string }
  | { readonly expected: string; readonly hint?: string };

/** Checks a value; flags and choices lose case and surrounding blanks, everything else stays as it is. */
export function checkValue(rule: ValueRule, value: string): ValueCheck {
  switch (rule.kind) {
    case "text":
      return { value };
    case "flag":
      return checkChoice(["true", "false"], value);
    case "choice":
      return checkChoice(rule.values, value);
    case "count":
      return checkCount(value, rule);
    case "width":
      return isCount(value) || value === "type"
        ? { value }
        : { expected: 'a number of letters like 16, or "type"' };
    case "duration":
      return parseDurationMs(value) !== undefined
        ? { value }
        : { expected: "a duration like 500ms, 10s or 1h30m" };
    case "boundaries":
      return checkBoundaries(value);
  }
}

/** Histogram boundaries of a value that `checkValue` accepted. */
export function parseBoundaries(value: string): number[] | ExponentialBoundaries {
  return parseExponential(value) ?? value.split(",").map((item) => Number(item.trim()));
}

function checkChoice(values: readonly string[], value: string): ValueCheck {
  const wanted = value.trim().toLowerCase();
  const found = values.find((choice) => choice.toLowerCase() === wanted);
  if (found !== undefined) return { value: found };
  const nearest = nearestName(wanted, values);
  return {
    expected: values.length > 6 ? "a known name" : quoteNames(values).replaceAll(", ", " or "),
    hint: nearest === undefined
      ? `values: ${quoteNames(values, 100)}`
      : `did you mean "${nearest}"? values: ${quoteNames(values, 100)}`,
  };
}

function checkBoundaries(value: string): ValueCheck {
  const exponential = parseExponential(value);
  if (exponential !== undefined) return checkExponential(exponential, value);
  const expected = 'ascending numbers like "1, 2.5, 10", or "schema 2 from 1 to 1000000"';
  const items = value.split(",").map((item) => item.trim());
  for (const [index, item] of items.entries()) {
    if (item === "" || !Number.isFinite(Number(item))) {
      return { expected, hint: `${JSON.stringify(item)} is not a finite number` };
    }
    if (index > 0 && Number(items[index - 1]) >= Number(item)) {
      return { expected, hint: `${item} does not exceed the ${items[index - 1]} before it` };
    }
  }
  return { value };
}

function checkExponential(setting: ExponentialBoundaries, value: string): ValueCheck {
  const { from, to } = setting;
  const expected = "buckets between two finite numbers above zero";
  if (!(from > 0 && from <= to && Number.isFinite(to))) {
    return { expected, hint: 'write the smaller one first: "schema 2 from 1 to 1000000"' };
  }
  const { first, last } = exponentialRange(setting);
  const count = last - first + 1;
  if (count <= MAX_EXPONENTIAL_BUCKETS) return { value };
  return {
    expected: `at most ${MAX_EXPONENTIAL_BUCKETS} buckets, not ${count}`,
    hint: "take a smaller schema, or a narrower range",
  };
}

function checkCount(
  value: string,
  { least = 0, most = Infinity }: { least?: number; most?: number },
): ValueCheck {
  if (isCount(value) && Number(value) >= least && Number(value) <= most) return { value };
  const from = least === 0 ? "" : ` from ${least}`;
  return { expected: most === Infinity ? "a number like 16" : `a number${from} up to ${most}` };
}

function isCount(value: string): boolean {
  return /^\d{1,9}$/.test(value.trim());
}
