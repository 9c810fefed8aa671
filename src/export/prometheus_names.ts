/**
 * OpenTelemetry names to Prometheus names, as OpenTelemetry's "Prometheus and OpenMetrics
 * Compatibility" has it: a suffix for the unit unless the name ends in it, then one for the type.
 *
 * Where that leaves a choice, the choice is that of the Go translator, so that names are those of `ig`:
 * `_` before a leading digit, `key_` before such a label, `_ratio` for gauges only, `m` below a slash
 * is a minute. Two spellings are known besides: `µs` for `us`, `KBy` for `kBy`.
 */

import { UsageError } from "../errors.ts";
import { translateLabelName } from "../gadget/mod.ts";
import type { InstrumentType } from "../metrics/mod.ts";

const UNITS: ReadonlyMap<string, string> = new Map([
  ["d", "days"],
  ["h", "hours"],
  ["min", "minutes"],
  ["s", "seconds"],
  ["ms", "milliseconds"],
  ["us", "microseconds"],
  ["ns", "nanoseconds"],
  ["By", "bytes"],
  ["KiBy", "kibibytes"],
  ["MiBy", "mebibytes"],
  ["GiBy", "gibibytes"],
  ["TiBy", "tebibytes"],
  ["kBy", "kilobytes"],
  ["KBy", "kilobytes"],
  ["MBy", "megabytes"],
  ["GBy", "gigabytes"],
  ["TBy", "terabytes"],
  ["m", "meters"],
  ["V", "volts"],
  ["A", "amperes"],
  ["J", "joules"],
  ["W", "watts"],
  ["g", "grams"],
  ["Cel", "celsius"],
  ["Hz", "hertz"],
  ["1", ""],
  ["%", "percent"],
]);

/** Words below a slash that are not the singular of a word above it. */
const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ["m", "minute"],
  ["w", "week"],
  ["mo", "month"],
  ["y", "year"],
  ["Cel", "celsius"],
]);

/** What an instrument is called in Prometheus. */
export interface PrometheusName {
  /** Family name of the text format; counters end in `_total`. */
  readonly name: string;
  /** Unit as OpenMetrics spells it, `seconds` or `bytes_per_second`; "" if the name carries none. */
  readonly unit: string;
}

/** What {@linkcode translateMetricName} reads of an instrument. */
export interface NamedInstrument {
  readonly name: string;
  readonly unit: string;
  readonly type: InstrumentType;
}

/**
 * Translates an instrument's name and unit to the name of a Prometheus family.
 *
 * Throws: `UsageError` if nothing of the name is allowed in Prometheus.
 */
export function translateMetricName(instrument: NamedInstrument, prefix = ""): PrometheusName {
  const tokens = tokensOf(instrument.name);
  if (tokens.length === 0) {
    throw new UsageError(
      `Cannot export metric "${instrument.name}": no letter or digit of it is allowed in a Prometheus name`,
      { hint: "set metrics.name to a name made of a-z, 0-9 and _" },
    );
  }
  const isCounter = instrument.type === "counter";
  // The unit stands before `total`, also where the name brings that along.
  if (isCounter && tokens.length > 1 && tokens.at(-1) === "total") tokens.pop();
  const unit = unitTokens(instrument);
  if (!endsWith(tokens, unit)) tokens.push(...unit);
  if (isCounter) tokens.push("total");
  const name = [...tokensOf(prefix), ...tokens].join("_");
  return {
    name: /^[0-9]/.test(name) ? `_${name}` : name,
    unit: unit.join("_"),
  };
}

/** One label of a metric set, and where its value comes from. */
export interface LabelColumn {
  readonly name: string;
  /** Indexes into the set's label values; several are joined by `;`. */
  readonly sources: readonly number[];
}

/**
 * Translates a set's attribute names. Attributes that become the same label share it, their values
 * joined by `;` in the order of the attribute names, as the OpenTelemetry specification says.
 * Labels that would hide one of `reserved` get the prefix `exported_`, as Prometheus itself does.
 */
export function translateLabels(
  attributes: readonly string[],
  reserved: ReadonlySet<string>,
): LabelColumn[] {
  const columns = new Map<string, number[]>();
  attributes.forEach((attribute, index) => {
    let name = translateLabelName(attribute);
    if (reserved.has(name)) name = `exported_${name}`;
    const sources = columns.get(name);
    if (sources === undefined) columns.set(name, [index]);
    else sources.push(index);
  });
  return [...columns].map(([name, sources]) => ({
    name,
    sources: sources.sort((a, b) => attributes[a] < attributes[b] ? -1 : 1),
  }));
}

function tokensOf(text: string): string[] {
  return text.split(/[^a-zA-Z0-9:]+/u).filter((token) => token !== "");
}

/** Words of a UCUM unit: `By/s` has `bytes`, `per`, `second`. */
function unitTokens({ unit, type }: NamedInstrument): string[] {
  const text = plainUnit(unit);
  if (text === "1" && type === "gauge") return ["ratio"];
  const slash = text.indexOf("/");
  const main = slash < 0 ? text : text.slice(0, slash);
  const words = tokensOf(UNITS.get(main) ?? main);
  if (slash < 0) return words;
  const per = text.slice(slash + 1);
  const perWords = tokensOf(PER_UNITS.get(per) ?? UNITS.get(per)?.replace(/s$/, "") ?? per);
  return perWords.length === 0 ? words : [...words, "per", ...perWords];
}

/** Without blanks and annotations such as `{packets}`. */
function plainUnit(unit: string): string {
  const text = unit.replace(/\{[^{}]*\}/g, "").replace(/\s+/g, "");
  // The micro sign (U+00B5) and the Greek letter (U+03BC) look alike and both are in use.
  return text.replace(/^[\u00b5\u03bc]s(?=$|\/)/, "us");
}

function endsWith(tokens: readonly string[], end: readonly string[]): boolean {
  return end.every((token, index) => tokens.at(index - end.length) === token);
}
