/** What one OTLP exporter does, as plain data: a thread can be sent it, and any configuration fill it. */

import { UsageError } from "../../errors.ts";
import { parseDurationMs } from "../../gadget/mod.ts";
import { suggestName } from "../../text/mod.ts";
import { parseEndpoint } from "./_endpoint.ts";
import { parseExporterHeaders } from "./_headers.ts";
import { type ExporterSetting, OTLP_PROTOCOLS, type OtlpProtocol } from "./exporter_setting.ts";
import { readTlsFiles, type TlsFiles } from "./_tls_files.ts";

/** One exporter. All of it has been checked, and its files have been read. */
export interface ExporterOptions {
  readonly name: string;
  readonly protocol: OtlpProtocol;
  /** With scheme, host and port; for HTTP with the path of the requests. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly temporality: "cumulative" | "delta";
  /** What log2 slots become; other histograms are explicit. */
  readonly histograms: "exponential" | "explicit";
  readonly compression: "none" | "gzip";
  readonly intervalMs: number;
  /** Of one request. */
  readonly timeoutMs: number;
  readonly tls: TlsFiles;
  /** Requests that wait to be sent: no more are made beyond this size. */
  readonly maxQueueBytes: number;
  /** Whether kmeter's own metrics are pushed too. */
  readonly includesOwnMetrics: boolean;
}

/** The URL for people: a query may be a secret. */
export function shownUrl({ url }: Pick<ExporterOptions, "url">): string {
  return url.replace(/\?.*/s, "");
}

/** Keys of an exporter in a configuration: those of `ig`, and more. */
export const EXPORTER_KEYS = [
  "exporter",
  "endpoint",
  "insecure",
  "temporality",
  "interval",
  "timeout",
  "headers",
  "compression",
  "caFile",
  "certFile",
  "keyFile",
  "histograms",
  "maxQueueBytes",
  "collectKmeterMetrics",
] as const;
export type ExporterKey = typeof EXPORTER_KEYS[number];

/** What is set of an exporter. */
export type ExporterSettings = ReadonlyMap<ExporterKey, ExporterSetting>;

/** OpenTelemetry's defaults. */
const DEFAULT_INTERVAL = "60s";
const DEFAULT_TIMEOUT = "10s";
const MIN_INTERVAL_MS = 100;
/** An hour of an outage for 20,000 counters, compressed, at a push a minute; and a bound for what kmeter may grow by. */
export const DEFAULT_MAX_QUEUE_BYTES = 16 * 1024 * 1024;

const PROTOCOL_NAMES: ReadonlyMap<string, OtlpProtocol> = new Map([
  ["otlp-http", "http/protobuf"],
  ["otlp-http-json", "http/json"],
  ["otlp-grpc", "grpc"],
  ...OTLP_PROTOCOLS.map((protocol) => [protocol, protocol] as const),
]);

/** Name of the key, if there is one. Throws: UsageError with a suggestion. */
export function parseExporterKey(key: string, source: string): ExporterKey {
  const known = EXPORTER_KEYS.find((candidate) => candidate === key);
  if (known !== undefined) return known;
  throw new UsageError(`${source}: an exporter has no "${key}"`, {
    hint: suggestName(key, EXPORTER_KEYS, "keys"),
  });
}

/** How errors speak of settings that are missing. */
export interface SettingWords {
  readonly owner: string;
  readonly example: (key: ExporterKey, value: string) => string;
}

/**
 * Checks the settings of an exporter and reads the files that they name.
 *
 * Throws: UsageError for the first setting that is wrong or missing.
 */
export function makeExporterOptions(
  name: string,
  settings: ExporterSettings,
  words: SettingWords = {
    owner: `Exporter "${name}"`,
    example: (key, value) => `--otel-exporter ${name}.${key}=${value}`,
  },
): ExporterOptions {
  const reader = new SettingReader(settings, words);
  const protocol = reader.choice("exporter", PROTOCOL_NAMES);
  const endpoint = parseEndpoint(reader.required("endpoint"), {
    protocol,
    insecure: settings.has("insecure") ? reader.boolean("insecure", false) : undefined,
    insecureSource: settings.get("insecure")?.source,
  });
  return {
    name,
    protocol,
    url: endpoint,
    headers: parseExporterHeaders(settings.get("headers"), protocol),
    temporality: reader.choice("temporality", wordsOf("cumulative", "delta"), "cumulative"),
    histograms: reader.choice("histograms", wordsOf("exponential", "explicit"), "exponential"),
    compression: reader.choice("compression", wordsOf("none", "gzip"), "none"),
    intervalMs: reader.durationMs("interval", DEFAULT_INTERVAL, MIN_INTERVAL_MS),
    timeoutMs: reader.durationMs("timeout", DEFAULT_TIMEOUT, 1),
    tls: readTlsFiles({
      ca: settings.get("caFile"),
      cert: settings.get("certFile"),
      key: settings.get("keyFile"),
      url: endpoint,
    }),
    maxQueueBytes: reader.bytes("maxQueueBytes", DEFAULT_MAX_QUEUE_BYTES),
    includesOwnMetrics: reader.boolean("collectKmeterMetrics", true),
  };
}

function wordsOf<T extends string>(...words: readonly T[]): ReadonlyMap<string, T> {
  return new Map(words.map((word) => [word, word]));
}

/** Reads settings by what they are; errors name where a setting stands. */
class SettingReader {
  readonly #settings: ExporterSettings;
  readonly #words: SettingWords;

  constructor(settings: ExporterSettings, words: SettingWords) {
    this.#settings = settings;
    this.#words = words;
  }

  required(key: ExporterKey): ExporterSetting {
    const setting = this.#settings.get(key);
    if (setting !== undefined) return setting;
    const value = key === "endpoint" ? "http://localhost:4318" : "otlp-http";
    throw new UsageError(`${this.#words.owner} has no "${key}"`, {
      hint: `for example ${this.#words.example(key, value)}`,
    });
  }

  choice<T>(key: ExporterKey, choices: ReadonlyMap<string, T>, standard?: string): T {
    const setting = this.#settings.get(key);
    const value = setting?.value ?? standard ?? this.required(key).value;
    const chosen = choices.get(value);
    if (chosen !== undefined) return chosen;
    throw wrong(setting, `wanted ${[...choices.keys()].join(", ")}`);
  }

  boolean(key: ExporterKey, standard: boolean): boolean {
    return this.choice(key, new Map([["true", true], ["false", false]]), String(standard));
  }

  durationMs(key: ExporterKey, standard: string, minMs: number): number {
    const setting = this.#settings.get(key);
    const value = setting?.value ?? standard;
    const ms = parseDurationMs(value);
    if (ms !== undefined && ms >= minMs && ms < 2 ** 31) return ms;
    throw wrong(setting, `wanted a duration of at least ${minMs}ms`, "write 500ms, 10s or 1m");
  }

  bytes(key: ExporterKey, standard: number): number {
    const setting = this.#settings.get(key);
    if (setting === undefined) return standard;
    const value = Number(setting.value);
    if (/^[0-9]+$/.test(setting.value) && Number.isSafeInteger(value)) return value;
    throw wrong(setting, "wanted a whole number of bytes");
  }
}

function wrong(setting: ExporterSetting | undefined, wanted: string, hint?: string): UsageError {
  return new UsageError(`${setting?.source} "${setting?.value}": ${wanted}`, { hint });
}
