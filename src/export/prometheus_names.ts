/**
 * OpenTelemetry names to Prometheus names: the strategy that OpenTelemetry calls
 * `UnderscoreEscapingWithSuffixes`, so that a gadget's metrics have the names `ig` gives them.
 *
 * Deviations from the Go translator, on purpose: `µs` is `us`, `kBy` is known besides `KBy`, and a
 * unit that the name already ends in is not added again when it has several words.
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

const PER_UNITS: ReadonlyMap<string, string> = new Map([
  ["s", "second"],
  ["m", "minute"],
  ["h", "hour"],
  ["d", "day"],
  ["w", "week"],
  ["mo", "month"],
  ["y", "year"],
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
  let tokens = tokensOf(instrument.name);
  if (tokens.length === 0) {
    throw new UsageError(
      `Cannot export metric "${instrument.name}": no letter or digit of it is allowed in a Prometheus name`,
      { hint: "set metrics.name to a name made of a-z, 0-9 and _" },
    );
  }
  const unit = unitTokens(instrument.unit);
  for (const part of [unit.main, unit.per]) {
    if (!containsRun(tokens, part)) tokens.push(...part);
  }
  let unitText = [...unit.main, ...unit.per].join("_");
  if (instrument.unit === "1" && instrument.type === "gauge") {
    tokens = [...tokens.filter((token) => token !== "ratio"), "ratio"];
    unitText = "ratio";
  }
  if (!tokens.join("_").endsWith(unitText)) unitText = "";
  if (instrument.type === "counter") {
    tokens = [...tokens.filter((token) => token !== "total"), "total"];
  }
  const name = [...tokensOf(prefix), ...tokens].join("_");
  return { name: /^[0-9]/.test(name) ? `_${name}` : name, unit: unitText };
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

/** Main and per-unit words of a UCUM unit; annotations such as `{packets}` have none. */
function unitTokens(unit: string): { main: string[]; per: string[] } {
  const slash = unit.indexOf("/");
  const mainUnit = plainUnit(slash < 0 ? unit : unit.slice(0, slash));
  const perUnit = plainUnit(slash < 0 ? "" : unit.slice(slash + 1));
  const per = tokensOf(PER_UNITS.get(perUnit) ?? perUnit);
  return {
    main: tokensOf(UNITS.get(mainUnit) ?? mainUnit),
    per: per.length === 0 ? per : ["per", ...per],
  };
}

function plainUnit(unit: string): string {
  const text = unit.trim();
  // The micro sign (U+00B5) and the Greek letter (U+03BC) look alike and both are in use.
  if (text === "\u00b5s" || text === "\u03bcs") return "us";
  return /[{}]/.test(text) ? "" : text;
}

function containsRun(tokens: readonly string[], run: readonly string[]): boolean {
  if (run.length === 0) return true;
  return `_${tokens.join("_")}_`.includes(`_${run.join("_")}_`);
}
