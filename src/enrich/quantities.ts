/** Sizes and durations for people. */

const SIZE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB", "EB"] as const;

/** Bytes with SI units and two digits or more: `999 B`, `1.0 kB`, `83 MB`. */
export function bytesText(sizeBytes: bigint | number): string {
  let scaled = Number(sizeBytes);
  if (scaled < 0) return `-${bytesText(-scaled)}`;
  if (scaled < 1000) return `${scaled} B`;
  let unit = 0;
  // 999.5 would show as "1000" of this unit, so it is "1.0" of the next.
  while (scaled >= (unit === 0 ? 1000 : 999.5) && unit < SIZE_UNITS.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const rounded = Math.round(scaled * 10) / 10;
  return `${rounded < 10 ? rounded.toFixed(1) : Math.round(scaled)} ${SIZE_UNITS[unit]}`;
}

const NS_PER_US = 1_000n;
const NS_PER_MS = 1_000_000n;
const NS_PER_S = 1_000_000_000n;
const S_PER_MINUTE = 60n;
const S_PER_HOUR = 3600n;

/** Nanoseconds as Go prints a `time.Duration`: `0s`, `1.5ms`, `2m0.25s`, `1h0m0s`. Exact. */
export function durationText(durationNs: bigint | number): string {
  const ns = BigInt(durationNs);
  if (ns < 0n) return `-${durationText(-ns)}`;
  if (ns === 0n) return "0s";
  if (ns < NS_PER_US) return `${ns}ns`;
  if (ns < NS_PER_MS) return `${decimal(ns, NS_PER_US)}µs`;
  if (ns < NS_PER_S) return `${decimal(ns, NS_PER_MS)}ms`;
  const seconds = ns / NS_PER_S;
  const secondsText = `${decimal(ns % (S_PER_MINUTE * NS_PER_S), NS_PER_S)}s`;
  if (seconds < S_PER_MINUTE) return secondsText;
  const minutesText = `${(seconds / S_PER_MINUTE) % S_PER_MINUTE}m${secondsText}`;
  return seconds < S_PER_HOUR ? minutesText : `${seconds / S_PER_HOUR}h${minutesText}`;
}

/** `value / unit` with all its decimals and no trailing zeros; `unit` is a power of ten. */
function decimal(value: bigint, unit: bigint): string {
  const fraction = value % unit;
  if (fraction === 0n) return String(value / unit);
  const digits = String(unit).length - 1;
  return `${value / unit}.${String(fraction).padStart(digits, "0").replace(/0+$/, "")}`;
}
