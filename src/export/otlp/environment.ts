/** The exporter that the standard variables of OpenTelemetry describe. */

import { UsageError } from "../../errors.ts";
import type { ExporterKey } from "./exporter_options.ts";
import type { ExporterSetting } from "./exporter_setting.ts";

/** Reads a variable; undefined if it is not set. */
export type Environment = (name: string) => string | undefined;

const DEFAULT_PROTOCOL = "http/protobuf";
/** Values of variables → those of settings. */
const TEMPORALITIES: Readonly<Record<string, string>> = {
  cumulative: "cumulative",
  delta: "delta",
  // It asks for deltas of what is counted as it happens, which is all that kmeter has.
  lowmemory: "delta",
};
const HISTOGRAMS: Readonly<Record<string, string>> = {
  base2_exponential_bucket_histogram: "exponential",
  explicit_bucket_histogram: "explicit",
};

/** Settings of the variables that are set. Throws: UsageError for values that the standard does not have. */
export function settingsFromEnvironment(
  environment: Environment,
): Map<ExporterKey, ExporterSetting> {
  const settings = new Map<ExporterKey, ExporterSetting>();
  const put = (key: ExporterKey, setting: ExporterSetting | undefined) => {
    if (setting !== undefined) settings.set(key, setting);
  };
  /** The variable for metrics, else the one for all signals. An empty variable is as good as none. */
  const read = (end: string) =>
    readVariable(environment, `OTEL_EXPORTER_OTLP_METRICS_${end}`) ??
      readVariable(environment, `OTEL_EXPORTER_OTLP_${end}`);
  const protocol = read("PROTOCOL") ?? { value: DEFAULT_PROTOCOL, source: "the protocol" };
  put("exporter", protocol);
  put("endpoint", endpointOf(environment, protocol.value));
  put("insecure", read("INSECURE"));
  put("headers", read("HEADERS"));
  put("compression", read("COMPRESSION"));
  put("caFile", read("CERTIFICATE"));
  put("certFile", read("CLIENT_CERTIFICATE"));
  put("keyFile", read("CLIENT_KEY"));
  put("timeout", inMilliseconds(read("TIMEOUT")));
  put("interval", inMilliseconds(readVariable(environment, "OTEL_METRIC_EXPORT_INTERVAL")));
  const chosen = (name: string, values: Readonly<Record<string, string>>) =>
    translated(readVariable(environment, `OTEL_EXPORTER_OTLP_METRICS_${name}`), values);
  put("temporality", chosen("TEMPORALITY_PREFERENCE", TEMPORALITIES));
  put("histograms", chosen("DEFAULT_HISTOGRAM_AGGREGATION", HISTOGRAMS));
  return settings;
}

/** A variable that says something. */
export function readVariable(environment: Environment, name: string): ExporterSetting | undefined {
  const value = environment(name)?.trim();
  return value === undefined || value === "" ? undefined : { value, source: name };
}

function endpointOf(environment: Environment, protocol: string): ExporterSetting {
  const exact = readVariable(environment, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
  if (exact !== undefined) return { ...exact, path: "exact" };
  const base = readVariable(environment, "OTEL_EXPORTER_OTLP_ENDPOINT");
  const port = protocol === "grpc" ? 4317 : 4318;
  return {
    ...base ?? { value: `http://localhost:${port}`, source: "the endpoint" },
    path: "base",
  };
}

function inMilliseconds(setting: ExporterSetting | undefined): ExporterSetting | undefined {
  if (setting === undefined) return undefined;
  if (/^[0-9]+$/.test(setting.value)) return { ...setting, value: `${setting.value}ms` };
  throw new UsageError(`${setting.source} "${setting.value}": wanted a number of milliseconds`);
}

function translated(
  setting: ExporterSetting | undefined,
  values: Readonly<Record<string, string>>,
): ExporterSetting | undefined {
  if (setting === undefined) return undefined;
  const word = setting.value.toLowerCase();
  if (Object.hasOwn(values, word)) return { ...setting, value: values[word] };
  throw new UsageError(
    `${setting.source} "${setting.value}": wanted ${Object.keys(values).join(", ")}`,
  );
}
