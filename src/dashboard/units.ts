/** UCUM units → unit ids of Grafana. */

/** How Grafana is told what a value counts in. */
export interface ShownUnit {
  /** Grafana's id, or `suffix: text`. */
  readonly id: string;
  /** What values are divided by to be in that unit. */
  readonly divisor: number;
}

interface UnitIds {
  readonly plain: string;
  /** Absent: `plain` with `/s` behind it. */
  readonly perSecond?: string;
  /** Present for times: units in a second. Time per second is shown in seconds. */
  readonly inSecond?: number;
}

const UNITS: ReadonlyMap<string, UnitIds> = new Map<string, UnitIds>([
  ["", { plain: "short", perSecond: "cps" }],
  ["1", { plain: "percentunit" }],
  ["%", { plain: "percent" }],
  ["d", { plain: "d", inSecond: 1 / 86_400 }],
  ["h", { plain: "h", inSecond: 1 / 3600 }],
  ["min", { plain: "m", inSecond: 1 / 60 }],
  ["s", { plain: "s", inSecond: 1 }],
  ["ms", { plain: "ms", inSecond: 1e3 }],
  ["us", { plain: "µs", inSecond: 1e6 }],
  ["\u00b5s", { plain: "µs", inSecond: 1e6 }],
  ["\u03bcs", { plain: "µs", inSecond: 1e6 }],
  ["ns", { plain: "ns", inSecond: 1e9 }],
  ["By", { plain: "bytes", perSecond: "binBps" }],
  ["KiBy", { plain: "kbytes", perSecond: "KiBs" }],
  ["MiBy", { plain: "mbytes", perSecond: "MiBs" }],
  ["GiBy", { plain: "gbytes", perSecond: "GiBs" }],
  ["TiBy", { plain: "tbytes", perSecond: "TiBs" }],
  ["kBy", { plain: "deckbytes", perSecond: "KBs" }],
  ["KBy", { plain: "deckbytes", perSecond: "KBs" }],
  ["MBy", { plain: "decmbytes", perSecond: "MBs" }],
  ["GBy", { plain: "decgbytes", perSecond: "GBs" }],
  ["TBy", { plain: "dectbytes", perSecond: "TBs" }],
  ["m", { plain: "lengthm", perSecond: "velocityms" }],
  ["g", { plain: "massg" }],
  ["V", { plain: "volt" }],
  ["A", { plain: "amp" }],
  ["J", { plain: "joule", perSecond: "watt" }],
  ["W", { plain: "watt" }],
  ["Cel", { plain: "celsius" }],
  ["Hz", { plain: "hertz" }],
  ["By/s", { plain: "binBps" }],
  ["m/s", { plain: "velocityms" }],
]);

/** Unit of the values themselves. */
export function unitOf(ucum: string): ShownUnit {
  const unit = withoutAnnotations(ucum);
  return { id: UNITS.get(unit)?.plain ?? `suffix: ${unit}`, divisor: 1 };
}

/** Unit of the values' growth per second. */
export function rateUnitOf(ucum: string): ShownUnit {
  const unit = withoutAnnotations(ucum);
  const ids = UNITS.get(unit);
  if (ids?.inSecond !== undefined) return { id: "s", divisor: ids.inSecond };
  return { id: ids?.perSecond ?? `suffix: ${unit}/s`, divisor: 1 };
}

/** `{packets}` counts things: no unit. What is left of `By/{packet}` is `By`. */
function withoutAnnotations(ucum: string): string {
  return ucum.replace(/\{[^{}]*\}/g, "").trim().replace(/\/$/, "");
}
