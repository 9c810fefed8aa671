/** Durations as Go programs write them, since `ig` users do: `500ms`, `1h30m`, `0`. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration of at least 0, or `undefined` if it is none. */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (
    !/^(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/.test(
      trimmed,
    )
  ) {
    return undefined;
  }
  let totalMs = 0;
  for (const [, count, unit] of trimmed.matchAll(/([\d.]+)([^\d.]+)/g)) {
    totalMs += Number(count) * UNIT_MS[unit];
  }
  return Number.isFinite(totalMs) ? totalMs : undefined;
}
