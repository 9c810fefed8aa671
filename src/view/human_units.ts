/** Times and sizes with the unit that suits them: `1.02 ms`, `64 KiB`. */

/** Larger units of the same kind. */
interface Scale {
  readonly steps: readonly string[];
  readonly factor: number;
}

const TIMES: Scale = { steps: ["ns", "µs", "ms", "s"], factor: 1000 };
const SIZES: Scale = { steps: ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], factor: 1024 };

/** Scale and first step of UCUM codes. */
const SCALES: ReadonlyMap<string, readonly [scale: Scale, first: number]> = new Map([
  ["ns", [TIMES, 0]],
  ["us", [TIMES, 1]],
  ["ms", [TIMES, 2]],
  ["s", [TIMES, 3]],
  ["By", [SIZES, 0]],
  ["KiBy", [SIZES, 1]],
  ["MiBy", [SIZES, 2]],
  ["GiBy", [SIZES, 3]],
]);

/** True for units that `humanText` shows with the value. */
export function isHumanUnit(unit: string): boolean {
  return SCALES.has(unit);
}

/** A value with three digits or all of its whole part, and its unit if that is one of time or size. */
export function humanText(value: number, unit: string): string {
  if (value < 0) return `-${humanText(-value, unit)}`;
  const known = SCALES.get(unit);
  if (value === Infinity) return "∞";
  if (known === undefined || Number.isNaN(value)) return shortNumber(value);
  const [{ steps, factor }, first] = known;
  let step = first;
  let scaled = value;
  // What would show as 1000 of this step is 1 of the next.
  while (scaled >= factor - 0.5 && step < steps.length - 1) {
    scaled /= factor;
    step++;
  }
  return `${shortNumber(scaled)} ${steps[step]}`;
}

function shortNumber(value: number): string {
  if (Number.isNaN(value) || Number.isInteger(value)) return String(value);
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
