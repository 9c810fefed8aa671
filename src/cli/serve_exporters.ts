/** Where `kmeter serve` pushes metrics to: the exporters of its file. */

import type { ConfigSetting, ExporterEntry, Mistakes } from "../config/mod.ts";
import {
  type Environment,
  type ExporterKey,
  type ExporterOptions,
  type ExporterSetting,
  makeExporterOptions,
  pathIn,
  settingsFromEnvironment,
} from "../export/mod.ts";
import { STANDARD_NAME } from "./exporter_flags.ts";

const FILE_KEYS: ReadonlySet<string> = new Set<ExporterKey>(["caFile", "certFile", "keyFile"]);

/** Checks them. As with flags, `otlp` is what the variables say, and what the file says over it. */
export function exportersOfFile(
  entries: readonly ExporterEntry[],
  context: {
    /** Where relative paths begin. */
    readonly folder: string;
    readonly environment: Environment;
    readonly mistakes: Mistakes;
  },
): ExporterOptions[] {
  const { folder, environment, mistakes } = context;
  return entries.flatMap(({ name, place, settings }) =>
    mistakes.collect(() => {
      const all = name === STANDARD_NAME ? settingsFromEnvironment(environment) : new Map();
      for (const [key, setting] of settings) all.set(key, exporterSetting(key, setting, folder));
      return makeExporterOptions(name, all, {
        owner: `${place}: exporter "${name}"`,
        example: (key, value) => `${key}: ${value}`,
      });
    }) ?? []
  );
}

function exporterSetting(
  key: string,
  { text, place }: ConfigSetting,
  folder: string,
): ExporterSetting {
  return { value: FILE_KEYS.has(key) ? pathIn(folder, text) : text, source: place };
}
