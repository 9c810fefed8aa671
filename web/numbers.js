// @ts-check
/** Numbers as people read them. */

const COUNT_STEPS = ["", "k", "M", "G", "T", "P", "E"];
const BYTE_STEPS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** @type {readonly [name: string, seconds: number][]} */
const TIME_STEPS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
  ["ms", 1e-3],
  ["µs", 1e-6],
  ["ns", 1e-9],
];

/** Seconds in a unit of time, by its UCUM code. @type {Readonly<Record<string, number>>} */
const SECONDS = {
  d: 86_400,
  h: 3600,
  min: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  "\u00b5s": 1e-6,
  "\u03bcs": 1e-6,
  ns: 1e-9,
};

/** Bytes in a unit of size, by its UCUM code. @type {Readonly<Record<string, number>>} */
const BYTES = { By: 1, KiBy: 2 ** 10, MiBy: 2 ** 20, GiBy: 2 ** 30, kBy: 1e3, MBy: 1e6, GBy: 1e9 };

/**
 * A value in its unit: `1.5 MiB`, `12 ms`, `3.2k`.
 * @param {number} value
 * @param {string} unit UCUM
 * @returns {string}
 */
export function valueText(value, unit = "") {
  if (Object.hasOwn(SECONDS, unit)) return durationText(value * SECONDS[unit]);
  if (Object.hasOwn(BYTES, unit)) return stepText(value * BYTES[unit], BYTE_STEPS, 1024);
  const named = unit.replaceAll(/\{[^{}]*\}/g, "");
  const count = stepText(value, COUNT_STEPS, 1000);
  return named === "" || named === "1" ? count : `${count} ${named}`;
}

/**
 * A growth per second: `1.5 MiB/s`.
 * @param {number} value
 * @param {string} unit UCUM, of what grows
 * @returns {string}
 */
export function rateText(value, unit = "") {
  return `${valueText(value, unit)}/s`;
}

/**
 * @param {number} seconds
 * @returns {string}
 */
export function durationText(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (!Number.isFinite(seconds)) return String(seconds);
  const [name, length] = TIME_STEPS.find((step) => size >= step[1]) ?? TIME_STEPS[6];
  return `${threeDigits(seconds / length)} ${name}`;
}

/**
 * @param {number} value
 * @param {readonly string[]} steps
 * @param {number} factor
 */
function stepText(value, steps, factor) {
  let scaled = value;
  let step = 0;
  while (Math.abs(scaled) >= factor && step < steps.length - 1 && Number.isFinite(scaled)) {
    scaled /= factor;
    step++;
  }
  const name = steps[step];
  return `${threeDigits(scaled)}${name.length > 1 || name === "B" ? " " : ""}${name}`;
}

/** @param {number} value */
function threeDigits(value) {
  if (!Number.isFinite(value)) return String(value);
  return String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

// deno-lint-ignore no-control-regex -- that is what it is for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A stranger's text: what would not be seen, or would turn what stands around it, is written out.
 * @param {string} text
 * @returns {string}
 */
export function visibleText(text) {
  return text.replaceAll(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}
