/** The file of `kmeter serve`, read and checked: everything that can be said without the kernel. */

import { systemError } from "../../ffi/mod.ts";
import {
  type ConfigSetting,
  type ExporterEntry,
  type GadgetEntry,
  type Mistakes,
  NO_EXPORTER,
  type OperatorEntry,
  parseServeConfig,
} from "../config/mod.ts";
import {
  checkRunOptions,
  type InstanceRequest,
  parseGadget,
  type RunOptions,
} from "../engine/mod.ts";
import { UsageError } from "../errors.ts";
import { EXPORTER_KEYS, type ExporterOptions, folderOf, pathIn } from "../export/mod.ts";
import { suggestName } from "../text/mod.ts";
import type { Flag, ParsedFlags } from "./flags.ts";
import { gadgetOptions, parseGadgetCommandLine } from "./gadget_options.ts";
import { RUN_FLAGS } from "./run_flags.ts";
import { exportersOfFile } from "./serve_exporters.ts";

/** Flags of `kmeter run` that are keys of a gadget. */
const GADGET_FLAG_NAMES = [
  "filter",
  "annotate",
  "otel-metrics-name",
  "otel-metrics-exporter",
  "map-fetch-interval",
  "strict",
  "host",
  "btf",
];
/** Flags of a gadget that is one of many. */
export const INSTANCE_FLAGS: readonly Flag[] = RUN_FLAGS.filter(({ name }) =>
  GADGET_FLAG_NAMES.includes(name)
);
/** Flags of `kmeter serve` that are keys of its file. */
export const SETTING_NAMES = [
  "listen",
  "web.config.file",
  "metrics-prefix",
  "metrics-limit",
  "openmetrics-created",
  "socket",
];

/** One gadget, ready to run. */
export interface PlannedInstance extends InstanceRequest {
  readonly name: string;
  /** As it is written. */
  readonly gadgetText: string;
  readonly args: readonly string[];
  /** Names of the exporters that push its metrics; absent for all. */
  readonly exporters?: ReadonlySet<string>;
}

/** A gadget of the author's own that cannot be read or understood. */
export interface BrokenInstance {
  readonly name: string;
  readonly gadgetText: string;
  readonly place: string;
  readonly error: unknown;
}

/** What is to run. */
export interface ServePlan {
  /** Where relative paths begin. */
  readonly folder: string;
  readonly settings: ReadonlyMap<string, ConfigSetting>;
  readonly exporters: readonly ExporterOptions[];
  /** As they are written, to tell a change. */
  readonly exporterEntries: readonly ExporterEntry[];
  /** Paths are placed already. */
  readonly operators: readonly OperatorEntry[];
  readonly instances: readonly PlannedInstance[];
  /** What cannot run, and stops no other. */
  readonly broken: readonly BrokenInstance[];
  readonly warnings: readonly string[];
}

/** Takes warnings of one gadget. */
export type InstanceWarn = (name: string, text: string, hint?: string) => void;

/** What all gadgets of a server share. */
export interface PlanContext {
  readonly seriesBudget: RunOptions["seriesBudget"];
  readonly warn: InstanceWarn;
}

/**
 * Reads a file. A folder or object that is broken is no mistake of the file.
 * @param mistakes takes all others, each with its place; then the plan is not to be used.
 * @throws UsageError, FormatError if the file cannot be read or is no YAML.
 */
export function readServePlan(mistakes: Mistakes, context: PlanContext): ServePlan {
  const path = mistakes.file;
  const keys = { settings: SETTING_NAMES, gadget: GADGET_FLAG_NAMES, exporter: EXPORTER_KEYS };
  const config = parseServeConfig(readConfig(path), keys, mistakes);
  const { settings, gadgets, warnings } = config;
  const folder = folderOf(path);
  const environment = (name: string) => Deno.env.get(name);
  const exporters = exportersOfFile(config.exporters, { folder, environment, mistakes });
  const exporterNames = config.exporters.map(({ name }) => name);
  const broken: BrokenInstance[] = [];
  const instances = gadgets.flatMap((entry) => {
    const { name, gadget: gadgetText, place } = entry;
    try {
      if (isPath(gadgetText)) parseGadget(pathOf(gadgetText, folder), []);
    } catch (error) {
      broken.push({ name, gadgetText, place, error });
      return [];
    }
    const placed = placePaths(entry, folder);
    try {
      return planInstance(placed, { ...context, folder, exporterNames });
    } catch (error) {
      noteEach(placed, {
        error,
        folder,
        exporterNames,
        seriesBudget: context.seriesBudget,
        mistakes,
      });
      return [];
    }
  });
  const operators = config.operators.map((entry) => placeOperator(entry, folder));
  for (const entry of operators) mistakes.collect(() => requireFile(entry));
  return {
    folder,
    settings,
    exporters,
    exporterEntries: config.exporters,
    operators,
    instances,
    broken,
    warnings,
  };
}

/** Notes what is wrong with each key of a gadget; `error` is about the first, or about how they go together. */
function noteEach(
  entry: GadgetEntry,
  context: {
    readonly error: unknown;
    readonly folder: string;
    readonly exporterNames: readonly string[];
    readonly seriesBudget: PlanContext["seriesBudget"];
    readonly mistakes: Mistakes;
  },
): void {
  const { error, mistakes, ...rest } = context;
  const errorOf = (args: readonly string[]): unknown => {
    try {
      planInstance({ ...entry, args }, { ...rest, warn: () => {} });
      return undefined;
    } catch (found) {
      return found;
    }
  };
  const note = (cause: unknown, place: string) =>
    mistakes.collect(() => {
      throw cause;
    }, () => place);
  const each = errorOf([]) === undefined
    ? entry.args.flatMap((arg) => {
      const found = errorOf([arg]);
      return found === undefined ? [] : [{ arg, found }];
    })
    : [];
  if (each.length === 0) note(error, entry.place);
  for (const { arg, found } of each) {
    const key = /^--([^=]+)/.exec(arg)?.[1] ?? "";
    note(found, entry.places.get(key) ?? entry.place);
  }
}

/** Whether the file is an operator is only known when it is loaded. @throws UsageError. */
function requireFile({ text, place }: OperatorEntry): void {
  if (text.startsWith("exec:")) return;
  try {
    if (Deno.statSync(text).isFile) return;
  } catch {
    // Told below.
  }
  throw new UsageError(`${place}: there is no file "${text}"`, {
    hint: "name a module such as ./my_operator.js, or exec: and a command",
  });
}

/** Only the gadget itself is left as it is written: it may be a name. */
function placePaths(entry: GadgetEntry, folder: string): GadgetEntry {
  const args = entry.args.map((arg) =>
    arg.replace(/^--btf=(.+)$/, (_, path) => `--btf=${pathIn(folder, path)}`)
  );
  return { ...entry, args };
}

function placeOperator(entry: OperatorEntry, folder: string): OperatorEntry {
  return entry.text.startsWith("exec:") ? entry : { ...entry, text: pathIn(folder, entry.text) };
}

/** For `--check`, to which a broken gadget is one more mistake. */
export function noteBroken({ broken }: ServePlan, mistakes: Mistakes): void {
  for (const { place, error } of broken) {
    mistakes.collect(() => {
      throw error;
    }, () => place);
  }
}

/** True for a folder or object, false for the name of a built-in gadget. */
function isPath(gadget: string): boolean {
  return gadget.includes("/") || gadget.endsWith(".o");
}

function pathOf(gadget: string, folder: string): string {
  return isPath(gadget) ? pathIn(folder, gadget) : gadget;
}

/**
 * Reads and checks one gadget.
 * @param context.folder where relative paths begin; "" for the working directory, else it ends with a slash.
 */
export function planInstance(
  { name, gadget, args }: Pick<GadgetEntry, "name" | "gadget" | "args">,
  { folder, exporterNames, seriesBudget, warn }: PlanContext & {
    folder: string;
    exporterNames: readonly string[];
  },
): PlannedInstance {
  const path = pathOf(gadget, folder);
  const warnHere = (text: string, hint?: string) => warn(name, text, hint);
  const line = parseGadgetCommandLine(path, args, { table: INSTANCE_FLAGS, warn: warnHere });
  const options = gadgetOptions(line, {
    name,
    metrics: true,
    operators: [],
    isAttachable: true,
    seriesBudget,
    warn: warnHere,
  });
  checkRunOptions(line.gadget, options);
  const exporters = chosenExporters(line.flags, exporterNames);
  return { name, gadgetText: gadget, args, gadget: line.gadget, options, exporters };
}

/** Who pushes its metrics: absent for all. @throws UsageError for exporters that there are not. */
function chosenExporters(
  flags: ParsedFlags,
  known: readonly string[],
): ReadonlySet<string> | undefined {
  const name = "otel-metrics-exporter";
  const chosen = flags.texts(name).flatMap((text) => text.split(",")).map((text) => text.trim());
  if (chosen.length === 0) return undefined;
  if (chosen.length === 1 && chosen[0] === NO_EXPORTER) return new Set();
  const unknown = chosen.find((text) => !known.includes(text));
  if (unknown === undefined) return new Set(chosen);
  throw new UsageError(`--${name} "${unknown}": there is no such exporter`, {
    hint: known.length === 0
      ? "set one up in the file of kmeter serve: exporters: {NAME: {…}}"
      : suggestName(unknown, [...known, NO_EXPORTER], "exporters"),
  });
}

/** True if two plans would run the same. */
export function isSamePlan(a: PlannedInstance, b: PlannedInstance): boolean {
  const [one, other] = [a.gadget.files, b.gadget.files];
  return a.args.length === b.args.length && a.args.every((arg, index) => arg === b.args[index]) &&
    one.objectFile === other.objectFile && one.metadataText === other.metadataText &&
    isSameBytes(one.object, other.object);
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function readConfig(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new UsageError(`Cannot read "${path}": there is no such file`, {
        hint: "kmeter serve -f kmeter.yaml, with a file such as: gadgets: [trace_exec, trace_tcp]",
        cause,
      });
    }
    const hint = "it must be a file that this user may read";
    throw systemError(cause, { what: `Cannot read "${path}"`, call: "open", hint });
  }
}
