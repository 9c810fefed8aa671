/** The annotation keys that mean something, where they belong, and what values they take. */

import { templateNames } from "../decode/mod.ts";
import { nearestName } from "../text/mod.ts";
import { type AnnotationEntry, placeError } from "./annotation_entry.ts";
import { checkValue, type ValueRule } from "./annotation_values.ts";

/** What carries an annotation. */
export type Carrier = "data source" | "field";

/** Values of `metrics.type`. */
export const METRIC_TYPES = ["key", "counter", "gauge", "histogram", "none"] as const;
/** How the values of the CPUs become one; `label` keeps them apart. */
export const PERCPU_MODES = ["sum", "max", "min", "avg", "label"] as const;
/** How a map is read. */
export const MAP_READ_MODES = ["snapshot", "drain"] as const;

const TEXT: ValueRule = { kind: "text" };
const FLAG: ValueRule = { kind: "flag" };
const COUNT: ValueRule = { kind: "count" };
/** Ids of series have 24 bits, and 0 is taken. */
const SERIES_COUNT: ValueRule = { kind: "count", least: 1, most: (1 << 24) - 1 };
const WIDTH: ValueRule = { kind: "width" };
const DURATION: ValueRule = { kind: "duration" };

const FIELD_KEYS: ReadonlyMap<string, ValueRule> = new Map<string, ValueRule>([
  ["description", TEXT],
  ["template", { kind: "choice", values: templateNames() }],
  ["value.one-of", TEXT],
  ["json.skip", FLAG],
  ["columns.width", WIDTH],
  ["columns.minwidth", WIDTH],
  ["columns.maxwidth", WIDTH],
  ["columns.alignment", { kind: "choice", values: ["left", "right"] }],
  ["columns.ellipsis", { kind: "choice", values: ["none", "start", "middle", "end"] }],
  ["columns.hidden", FLAG],
  ["columns.fixed", FLAG],
  ["columns.hex", FLAG],
  ["columns.alias", TEXT],
  ["columns.precision", COUNT],
  ["columns.replace", TEXT],
  ["metrics.type", { kind: "choice", values: METRIC_TYPES }],
  ["metrics.name", TEXT],
  ["metrics.description", TEXT],
  ["metrics.unit", TEXT],
  ["metrics.boundaries", { kind: "boundaries" }],
  ["metrics.sum", TEXT],
  ["formatters.timestamp.format", TEXT],
  ["formatters.timestamp.target", TEXT],
  ["formatters.errno.target", TEXT],
  ["formatters.signal.target", TEXT],
  ["formatters.syscall.target", TEXT],
  ["formatters.bytes.target", TEXT],
  ["formatters.duration.target", TEXT],
  ["formatters.file_mode.target", TEXT],
  ["formatters.file_flags.target", TEXT],
  ["formatters.filemode.target", TEXT],
  ["formatters.fileflags.target", TEXT],
  ["formatters.l3endpoint.target", TEXT],
  ["formatters.l4endpoint.target", TEXT],
  ["ebpf.formatter.enum", TEXT],
  ["ebpf.formatter.kstack", TEXT],
  ["ebpf.formatter.bitfield.separator", TEXT],
  ["ebpf.map.percpu", { kind: "choice", values: PERCPU_MODES.filter((mode) => mode !== "label") }],
  ["uidgidresolver.target", TEXT],
  ["flamegraph.level", TEXT],
  ["flamegraph.type", TEXT],
  ["profiles.sample-attribute", TEXT],
  ["pcap.interface-key", TEXT],
  ["pcap.interface-var", TEXT],
  ["logs.body", TEXT],
  ["logs.severity", TEXT],
]);

const DATA_SOURCE_KEYS: ReadonlyMap<string, ValueRule> = new Map<string, ValueRule>([
  ["description", TEXT],
  ["metrics.collect", FLAG],
  ["metrics.print", FLAG],
  ["metrics.implicit-counter.name", TEXT],
  ["metrics.implicit-counter.description", TEXT],
  ["metrics.ttl", DURATION],
  ["metrics.exemplar", TEXT],
  ["metrics.limit", SERIES_COUNT],
  ["ebpf.map.percpu", { kind: "choice", values: PERCPU_MODES }],
  ["ebpf.map.read", { kind: "choice", values: MAP_READ_MODES }],
  ["ebpf.map.flush-on-stop", FLAG],
  ["ebpf.iter.fetch-on-stop", FLAG],
  ["ebpf.rest.name", TEXT],
  ["ebpf.rest.len", TEXT],
  ["fetch-interval", DURATION],
  ["fetch-count", COUNT],
  ["cli.clear-screen-before", FLAG],
  ["cli.supported-output-modes", TEXT],
  ["cli.default-output-mode", TEXT],
  ["logs.name", TEXT],
  ["logs.array-handling", TEXT],
  ["profiles.stack-fields", TEXT],
  ["profiles.value-field", TEXT],
  ["profiles.name", TEXT],
  ["profiles.type", TEXT],
  ["profiles.unit", TEXT],
  ["pcap.payload", TEXT],
  ["pcap.timestamp", TEXT],
  ["pcap.packet-length", TEXT],
  ["kubenameresolver.enable", FLAG],
  ["generate_networkpolicy.enable", FLAG],
]);

/** Namespaces in which every key is known: another one there is a mistake. */
const CLOSED_NAMESPACES = ["metrics", "columns", "ebpf", "formatters", "json"];
/** Namespaces whose further parts are free. */
const OPEN_PREFIXES: ReadonlyMap<Carrier, readonly string[]> = new Map([
  ["data source", ["env.fields.", "views."]],
  ["field", []],
]);

/** An accepted annotation: its value in normal form, and what to tell the user. */
export interface CheckedAnnotation {
  readonly value: string;
  readonly warning?: string;
}

/**
 * Checks key, carrier and value of an annotation.
 *
 * Throws: FormatError or UsageError, by where it was written, for misspelt keys, keys on the wrong
 * carrier, and values that the key does not take.
 */
export function checkAnnotation(entry: AnnotationEntry): CheckedAnnotation {
  const carrier: Carrier = entry.field === undefined ? "data source" : "field";
  const rule = keysOf(carrier).get(entry.key);
  if (rule === undefined) return checkUnknownKey(entry, carrier);
  const check = checkValue(rule, entry.value);
  if ("value" in check) return check;
  throw placeError(entry.place, {
    message: `Wrong value in ${entry.place.describe()}: "${entry.key}" takes ${check.expected}, ` +
      `got ${JSON.stringify(entry.value)}`,
    hint: check.hint ?? "the README lists the annotations and what they take",
  });
}

function checkUnknownKey(entry: AnnotationEntry, carrier: Carrier): CheckedAnnotation {
  if (OPEN_PREFIXES.get(carrier)?.some((prefix) => entry.key.startsWith(prefix))) {
    return { value: entry.value };
  }
  const otherCarrier: Carrier = carrier === "field" ? "data source" : "field";
  if (keysOf(otherCarrier).has(entry.key)) throw misplacedError(entry, otherCarrier);
  const namespace = namespaceOf(entry.key);
  const suggestion = nearestKey(entry.key, carrier) ?? nearestKey(entry.key, otherCarrier);
  // A file may be meant for other tools too; what is typed is meant for kmeter.
  const isMistake = suggestion !== undefined || entry.place.kind === "flag" ||
    CLOSED_NAMESPACES.includes(namespace);
  if (isMistake) {
    throw placeError(entry.place, {
      message: `Unknown annotation in ${entry.place.describe()}: "${entry.key}"`,
      hint: suggestion === undefined
        ? unknownKeyHint(namespace, carrier)
        : `did you mean "${suggestion}"?`,
    });
  }
  return {
    value: entry.value,
    warning: `${entry.place.describe()}: kmeter does not know the annotation "${entry.key}"`,
  };
}

function misplacedError(entry: AnnotationEntry, owner: Carrier): Error {
  const field = entry.field ?? "FIELD";
  const wanted = owner === "field" ? `${entry.dataSource}.${field}` : entry.dataSource;
  const section = owner === "field"
    ? `datasources.${entry.dataSource}.fields.${field}.annotations`
    : `datasources.${entry.dataSource}.annotations`;
  const carried = entry.field === undefined
    ? `data source "${entry.dataSource}"`
    : `field "${entry.dataSource}.${entry.field}"`;
  return placeError(entry.place, {
    message: `Misplaced annotation in ${entry.place.describe()}: ` +
      `"${entry.key}" belongs to a ${owner}, not to ${carried}`,
    hint: entry.place.kind === "file"
      ? `write it under ${section}`
      : `write ${wanted}:${entry.key}=${entry.value}`,
  });
}

/** A key in the same or a misspelt namespace: `matrics.print` is near `metrics.print`, `logs.x` is not. */
function nearestKey(key: string, carrier: Carrier): string | undefined {
  const namespace = namespaceOf(key);
  const candidates = [...keysOf(carrier).keys()].filter((known) =>
    nearestName(namespace, [namespaceOf(known)]) !== undefined
  );
  return nearestName(key, candidates);
}

function unknownKeyHint(namespace: string, carrier: Carrier): string {
  const known = [...keysOf(carrier).keys()];
  const keys = known.filter((key) => namespaceOf(key) === namespace);
  if (keys.length > 0) return `"${namespace}." keys of a ${carrier}: ${keys.join(", ")}`;
  const namespaces = [...new Set(known.map(namespaceOf))];
  return `keys of a ${carrier} begin with ${namespaces.join(", ")}; the README lists them`;
}

function namespaceOf(key: string): string {
  return key.split(".", 1)[0];
}

function keysOf(carrier: Carrier): ReadonlyMap<string, ValueRule> {
  return carrier === "field" ? FIELD_KEYS : DATA_SOURCE_KEYS;
}
