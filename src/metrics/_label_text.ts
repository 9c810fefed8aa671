/** Label values of bearable length. */

/**
 * Bytes of UTF-8 that a label value has at most: what common stores behind Prometheus take. A stack or
 * a path may be longer.
 */
export const MAX_LABEL_BYTES = 2048;

const CUT_MARK = "…";
const MARK_BYTES = 3;
/** Worst case of UTF-8 for one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();
const scratch = new Uint8Array(MAX_LABEL_BYTES);
const beforeMark = scratch.subarray(0, MAX_LABEL_BYTES - MARK_BYTES);

/** The value itself, or as many whole characters of it as there is room for, and a mark. */
export function capLabelValue(value: string): string {
  if (value.length * MAX_BYTES_PER_UNIT <= MAX_LABEL_BYTES) return value;
  if (encoder.encodeInto(value, scratch).read === value.length) return value;
  return value.slice(0, encoder.encodeInto(value, beforeMark).read) + CUT_MARK;
}
