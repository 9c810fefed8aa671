/** The flags of `kmeter run` and what they mean. */

import { ENOENT, KernelFile } from "../../ffi/mod.ts";
import { KernelError, UsageError } from "../errors.ts";
import { type ListenAddress, parseListenAddress, WebConfigFile } from "../export/mod.ts";
import { type GadgetSpec, parseDurationMs } from "../gadget/mod.ts";
import { DEFAULT_TOTAL_SERIES_LIMIT } from "../metrics/mod.ts";
import { EXEC_PARAMS, FILTER_OPERATOR } from "../operators/mod.ts";
import { ROW_VIEW_MODES, type RowViewMode } from "../view/mod.ts";
import { suggestName } from "../text/mod.ts";
import { HELP_FLAG } from "./command.ts";
import { EXPORTER_FLAGS } from "./exporter_flags.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { LIBBPF_FLAG } from "./libbpf_flag.ts";
import { OPERATOR_FLAG } from "./operator_threads.ts";
import { perDataSource } from "./per_data_source.ts";
import type { DisplaySettings } from "./terminal_display.ts";
import { USER_FLAG } from "./user_flag.ts";

/** How often drawn metrics are drawn unless told otherwise. */
export const DEFAULT_PRINT_INTERVAL_MS = 1000;
/** Where metrics are served unless told otherwise. */
export const DEFAULT_LISTEN = "127.0.0.1:2224";

export const RUN_FLAGS: readonly Flag[] = [
  { name: "metrics", description: "collect and serve every metric that the gadget has" },
  {
    name: "listen",
    value: "ADDR:PORT",
    description: `where to serve metrics; implies --metrics (default ${DEFAULT_LISTEN})`,
  },
  {
    name: "web.config.file",
    value: "FILE",
    description: "TLS, passwords and headers of the server, as Prometheus' exporters have them",
  },
  {
    name: "output",
    short: "o",
    value: "MODE",
    choices: ROW_VIEW_MODES,
    description: `how to show rows: ${ROW_VIEW_MODES.join(", ")}; or ds:json,ds2:none`,
  },
  {
    name: "fields",
    value: "LIST",
    description: "fields to show: a,b for these, +x,-y to add and remove; or ds:a,b;ds2:+x",
  },
  ...FILTER_OPERATOR.params ?? [],
  {
    name: "annotate",
    value: "LIST",
    repeats: true,
    description:
      "annotations: ds:key=value or ds.field:key=value; \\, for a comma in a value; adds up",
  },
  {
    name: "timeout",
    short: "t",
    value: "SECONDS",
    description: "stop after this time: 10, or 1m30s; 0 for never",
  },
  {
    name: "sort",
    value: "LIST",
    description: "order of map and iterator rows: f,-g (default in columns: the busiest first)",
  },
  {
    name: "max-entries",
    value: "N",
    description: "rows shown of each map or iterator read (default 0: no limit)",
  },
  {
    name: "map-fetch-interval",
    value: "DURATION",
    description: "how often a shown map is read: 1s, or ds:2s,ds2:500ms (default 1s)",
  },
  {
    name: "map-fetch-count",
    value: "N",
    description: "reads of a shown map, then stop: 10, or ds:1,ds2:5 (default 0: no limit)",
  },
  {
    name: "otel-metrics-name",
    value: "LIST",
    description: "scope of the metrics: NAME for all, or ds:name,ds2:name2",
  },
  ...EXPORTER_FLAGS,
  OPERATOR_FLAG,
  ...EXEC_PARAMS,
  { name: "otel-metrics-listen", description: "the same as --metrics" },
  { name: "otel-metrics-listen-address", value: "ADDR:PORT", description: "the same as --listen" },
  {
    name: "otel-metrics-print-interval",
    value: "DURATION",
    description: "how often drawn metrics are drawn (default 1s)",
  },
  {
    name: "openmetrics-created",
    description: "OpenMetrics tells since when each counter and histogram counts",
  },
  { name: "metrics-prefix", value: "PREFIX", description: "put before every metric name" },
  {
    name: "metrics-limit",
    value: "N",
    description:
      `series of all data sources together, at most (default ${DEFAULT_TOTAL_SERIES_LIMIT})`,
  },
  USER_FLAG,
  {
    name: "strict",
    description: "a program that cannot load or attach is an error; else the others run without it",
  },
  { name: "host", description: "accepted for compatibility: kmeter always sees the whole host" },
  {
    name: "btf",
    value: "FILE",
    description: "kernel BTF to use instead of /sys/kernel/btf/vmlinux",
  },
  LIBBPF_FLAG,
  { name: "dump-code", description: "print the generated counting loops to stderr" },
  HELP_FLAG,
];

const ATTACH_FLAG_NAMES = ["output", "fields", "sort", "max-entries"];
/** Flags about what is shown. */
export const ATTACH_FLAGS: readonly Flag[] = RUN_FLAGS.filter(({ name }) =>
  ATTACH_FLAG_NAMES.includes(name)
);

/** Where metrics are served; undefined if they are not wanted. */
export function listenAddressOf(flags: ParsedFlags): ListenAddress | undefined {
  const address = flags.text("listen") ?? flags.text("otel-metrics-listen-address");
  const wanted = address !== undefined || flags.has("metrics") || flags.has("otel-metrics-listen");
  return wanted ? parseListenAddress(address ?? DEFAULT_LISTEN) : undefined;
}

/** `--web.config.file`, read. Throws: UsageError, FormatError, UnsupportedError, KernelError. */
export function webConfigOf(
  flags: ParsedFlags,
  { warn }: { warn: (text: string) => void },
): WebConfigFile | undefined {
  const path = flags.text("web.config.file");
  if (path === undefined) return undefined;
  if (listenAddressOf(flags) === undefined) {
    throw new UsageError("--web.config.file is about metrics, and none are served", {
      hint: "add --metrics",
    });
  }
  return new WebConfigFile(path, { warn });
}

/** How a data source's rows are shown: `-o`, `--fields`, `--sort`, `--max-entries`. */
export function displaySettings(
  flags: ParsedFlags,
  spec: GadgetSpec,
): (dataSource: string) => DisplaySettings {
  const text = (value: string) => value;
  const mode = perDataSource("output", { flags, spec, parse: parseMode });
  const selection = perDataSource("fields", { flags, spec, separator: ";", parse: text });
  const sort = perDataSource("sort", { flags, spec, separator: ";", parse: text });
  const maxEntries = perDataSource("max-entries", {
    flags,
    spec,
    // ig says -1 for all.
    // -1 is how `ig` says it.
    parse: (value) => value === "-1" ? -1 : parseCount("max-entries", value, { min: 0 }) || -1,
  });
  return (dataSource) => ({
    mode: mode(dataSource) ?? "columns",
    selection: selection(dataSource),
    sort: sort(dataSource),
    maxEntries: maxEntries(dataSource),
  });
}

/** `--sort` and `--max-entries` where they do nothing: events are shown as they come. */
export function orderWarnings(flags: ParsedFlags, spec: GadgetSpec): string[] {
  const { dataSources } = spec;
  return ([["sort", ";"], ["max-entries", ","]] as const).flatMap(([name, separator]) => {
    const text = flags.text(name);
    if (text === undefined) return [];
    const isFor = perDataSource(name, { flags, spec, separator, parse: () => true });
    const idle = dataSources.filter((source) =>
      source.origin.kind === "tracer" && isFor(source.name)
    );
    // Without a name it is for those that it can be for.
    const isForAny = text.includes(":") || idle.length === dataSources.length;
    if (!isForAny) return [];
    return idle.map((source) =>
      `--${name} does nothing for data source ${source.name}: events are shown as they come`
    );
  });
}

function parseMode(text: string): RowViewMode {
  const mode = ROW_VIEW_MODES.find((candidate) => candidate === text);
  if (mode !== undefined) return mode;
  throw new UsageError(`--output "${text}": there is no such mode`, {
    hint: suggestName(text, ROW_VIEW_MODES, "modes"),
  });
}

/** A whole number of at least `min`, and at most `max`. */
function parseCount(
  name: string,
  text: string,
  { min, max = Infinity }: { min: number; max?: number },
): number {
  const value = Number(text);
  const isCount = text.trim() !== "" && Number.isInteger(value);
  if (isCount && value >= min && value <= max) return value;
  const most = max === Infinity ? "" : `, at most ${max}`;
  throw new UsageError(`--${name} "${text}": wanted a whole number of at least ${min}${most}`);
}

/** A duration in ms: `500ms`, `2s`, `1m`; a bare number counts in `unitMs`. */
export function durationMsOf(
  flags: ParsedFlags,
  name: string,
  options: { unitMs: number },
): number | undefined {
  const text = flags.text(name);
  return text === undefined ? undefined : parseDuration(name, text, options);
}

function parseDuration(name: string, text: string, { unitMs }: { unitMs: number }): number {
  const bare = /^[0-9]+(\.[0-9]+)?$/.test(text.trim());
  const value = bare ? Number(text) * unitMs : parseDurationMs(text);
  if (value !== undefined && value >= 0) return value;
  throw new UsageError(`--${name} "${text}": wanted a duration`, {
    hint: "write 500ms, 2s or 1m30s",
  });
}

/** How often drawn metrics are drawn. */
export function printIntervalMsOf(flags: ParsedFlags): number {
  return durationMsOf(flags, "otel-metrics-print-interval", { unitMs: 1 }) ??
    DEFAULT_PRINT_INTERVAL_MS;
}

/** `--map-fetch-interval` and `--map-fetch-count`. */
export function mapSchedules(
  flags: ParsedFlags,
  spec: GadgetSpec,
): (dataSource: string) => { intervalMs?: number; count?: number } {
  const interval = perDataSource("map-fetch-interval", {
    flags,
    spec,
    parse: (text) => parseDuration("map-fetch-interval", text, { unitMs: 1000 }),
  });
  const count = perDataSource("map-fetch-count", {
    flags,
    spec,
    parse: (text) => parseCount("map-fetch-count", text, { min: 0 }),
  });
  const scheduleOf = (dataSource: string) => {
    const intervalMs = interval(dataSource);
    const fetches = count(dataSource);
    if (intervalMs === 0 && fetches !== 1) {
      throw new UsageError(
        "--map-fetch-interval 0 means one read at once, which needs a count of 1",
        { hint: "add --map-fetch-count 1" },
      );
    }
    return {
      ...(intervalMs !== undefined && { intervalMs }),
      ...(fetches !== undefined && { count: fetches }),
    };
  };
  // A mistake is told before anything is loaded.
  for (const { name, origin } of spec.dataSources) if (origin.kind !== "tracer") scheduleOf(name);
  return scheduleOf;
}

/** `--otel-metrics-name`. */
export function scopesOf(flags: ParsedFlags, spec: GadgetSpec): ReadonlyMap<string, string> {
  const scopeOf = perDataSource("otel-metrics-name", { flags, spec, parse: (text) => text });
  return new Map(
    spec.dataSources.flatMap(({ name }): [string, string][] => {
      const scope = scopeOf(name);
      return scope === undefined ? [] : [[name, scope]];
    }),
  );
}

/** `--metrics-prefix`. Throws: UsageError if it cannot begin a metric's name. */
export function metricsPrefixOf(flags: ParsedFlags): string | undefined {
  const prefix = flags.text("metrics-prefix");
  return prefix === undefined ? undefined : parseMetricsPrefix(prefix);
}

/** What can begin a metric's name, as it is. Throws: UsageError. */
export function parseMetricsPrefix(prefix: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(prefix)) return prefix;
  throw new UsageError(`--metrics-prefix "${prefix}": cannot begin the name of a metric`, {
    hint: "use letters, digits and underscores, and no digit at first",
  });
}

/** `--metrics-limit`: series of all data sources together. */
export function metricsLimitOf(flags: ParsedFlags): number {
  const text = flags.text("metrics-limit");
  return text === undefined ? DEFAULT_TOTAL_SERIES_LIMIT : parseMetricsLimit(text);
}

/** Series of all data sources together. Throws: UsageError. */
export function parseMetricsLimit(text: string): number {
  return parseCount("metrics-limit", text, { min: 1, max: 2 ** 31 - 1 });
}

/** `--btf`: libbpf would only say that it cannot parse it. */
export function btfFileOf(flags: ParsedFlags): string | undefined {
  const file = flags.text("btf");
  if (file === undefined) return undefined;
  try {
    using opened = new KernelFile(file);
    // A folder can be opened, and not be read.
    opened.chunks().next();
    return file;
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    const reason = cause.errno === ENOENT ? "there is no such file" : cause.message;
    throw new UsageError(`--btf "${file}": ${reason}`, {
      hint: "give a kernel BTF file, such as /sys/kernel/btf/vmlinux",
      cause,
    });
  }
}
