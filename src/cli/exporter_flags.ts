/** Where metrics are pushed to: flags, and the variables of OpenTelemetry. */

import { UsageError } from "../errors.ts";
import {
  type Environment,
  type ExporterKey,
  type ExporterOptions,
  type ExporterSetting,
  makeExporterOptions,
  parseExporterKey,
  settingsFromEnvironment,
} from "../export/mod.ts";
import { suggestName } from "../text/mod.ts";
import type { Flag, ParsedFlags } from "./flags.ts";

/** The exporter that the variables describe. */
export const STANDARD_NAME = "otlp";

export const EXPORTER_FLAGS: readonly Flag[] = [
  {
    name: "otel-metrics-exporter",
    value: "NAME",
    repeats: true,
    description:
      `push metrics by OTLP: ${STANDARD_NAME} as the OTEL_ variables say, or one of --otel-exporter`,
  },
  {
    name: "otel-exporter",
    value: "NAME.KEY=VALUE",
    repeats: true,
    description: "a setting of an exporter: a.exporter=otlp-grpc, a.endpoint=http://localhost:4317",
  },
];

type Settings = Map<ExporterKey, ExporterSetting>;

/**
 * Exporters that the user asked for. `otlp` is what the variables say, and what flags say over it; others
 * have nothing but their flags: the headers of one collector are not for another.
 *
 * Throws: UsageError.
 */
export function exportersOf(flags: ParsedFlags, environment: Environment): ExporterOptions[] {
  const names = new Set(flags.texts("otel-metrics-exporter"));
  const fromFlags = settingsByName(flags.texts("otel-exporter"));
  for (const name of fromFlags.keys()) {
    if (names.has(name)) continue;
    throw new UsageError(`--otel-exporter sets up "${name}", and nothing is pushed there`, {
      hint: `add --otel-metrics-exporter ${name}`,
    });
  }
  return [...names].map((name) => {
    if (name === STANDARD_NAME) {
      const settings = settingsFromEnvironment(environment);
      for (const [key, setting] of fromFlags.get(name) ?? []) settings.set(key, setting);
      return makeExporterOptions(name, settings);
    }
    const settings = fromFlags.get(name);
    if (settings !== undefined) return makeExporterOptions(name, settings);
    throw new UsageError(`--otel-metrics-exporter "${name}": there is no such exporter`, {
      hint: suggestName(name, [STANDARD_NAME, ...fromFlags.keys()], "exporters") +
        `; to make one: --otel-exporter ${name}.exporter=otlp-http --otel-exporter ${name}.endpoint=URL`,
    });
  });
}

function settingsByName(texts: readonly string[]): ReadonlyMap<string, Settings> {
  const byName = new Map<string, Settings>();
  for (const text of texts) {
    const match = /^([A-Za-z0-9_-]+)\.([A-Za-z]+)=(.*)$/s.exec(text);
    if (match === null) {
      // A value may be a secret.
      const shown = text.replace(/=.*/s, "=…");
      throw new UsageError(`--otel-exporter "${shown}": not of the form NAME.KEY=VALUE`, {
        hint: "for example --otel-exporter main.endpoint=http://localhost:4318",
      });
    }
    const [, name, key, value] = match;
    const source = `--otel-exporter ${name}.${key}`;
    const settings = byName.get(name) ?? new Map();
    settings.set(parseExporterKey(key, source), { value, source });
    byName.set(name, settings);
  }
  return byName;
}
