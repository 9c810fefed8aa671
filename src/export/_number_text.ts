/** The exposition formats, and doubles as text. */

/** Exposition formats that carry text. */
export type TextExposition = "text" | "openmetrics";

/** All exposition formats. */
export type ExpositionFormat = TextExposition | "protobuf";

/** A double in the shortest form that reads back the same, as Prometheus spells it. */
export function doubleText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

/**
 * A bucket bound as Go's exposition writes it, so that `le` values equal those of other exporters:
 * exponents from 1e6 up and below 1e-4. OpenMetrics wants a point or exponent in each: `1.0`.
 */
export function boundText(bound: number, format: TextExposition): string {
  if (!Number.isFinite(bound)) return doubleText(bound);
  const [mantissa, exponentText] = bound.toExponential().split("e");
  const exponent = Number(exponentText);
  if (bound !== 0 && (exponent < -4 || exponent >= 6)) {
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  const text = String(bound);
  return format === "openmetrics" && !text.includes(".") ? `${text}.0` : text;
}
