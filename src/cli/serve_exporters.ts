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

/** What an exporter must have. */
const RIGHT_SETTINGS: ReadonlyMap<ExporterKey, ExporterSetting> = new Map([
  ["exporter", { value: "otlp-http", source: "" }],
  ["endpoint", { value: "http://localhost:4318", source: "" }],
]);

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
  return entries.flatMap(({ name, place, settings }) => {
    const all = new Map(name === STANDARD_NAME ? settingsFromEnvironment(environment) : []);
    for (const [key, setting] of settings) {
      all.set(key as ExporterKey, exporterSetting(key, setting, folder));
    }
    const make = (some: ReadonlyMap<ExporterKey, ExporterSetting>) =>
      makeExporterOptions(name, some, {
        owner: `${place}: exporter "${name}"`,
        example: (key, value) => `${key}: ${value}`,
      });
    try {
      return [make(all)];
    } catch (error) {
      const each = errorsOfEach(all, make);
      for (const found of each.length > 0 ? each : [error]) {
        mistakes.collect(() => {
          throw found;
        });
      }
      return [];
    }
  });
}

/** What is wrong with each setting beside others that are right: several may be. */
function errorsOfEach(
  all: ReadonlyMap<ExporterKey, ExporterSetting>,
  make: (some: ReadonlyMap<ExporterKey, ExporterSetting>) => unknown,
): unknown[] {
  return [...all].flatMap((setting) => {
    try {
      make(new Map([...RIGHT_SETTINGS, setting]));
      return [];
    } catch (error) {
      return [error];
    }
  });
}

function exporterSetting(
  key: string,
  { text, place }: ConfigSetting,
  folder: string,
): ExporterSetting {
  return { value: FILE_KEYS.has(key) ? pathIn(folder, text) : text, source: place };
}
