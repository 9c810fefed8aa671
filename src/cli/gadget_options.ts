/** From a command line to a gadget and the options of its run. */

import {
  CAPABILITY_USES,
  missingCapabilities,
  type ParsedGadget,
  parseGadget,
  type RunOptions,
} from "../engine/mod.ts";
import { KernelError } from "../errors.ts";
import {
  ENRICH_OPERATOR,
  FILTER_OPERATOR,
  METRICS_OPERATOR,
  type Operator,
} from "../operators/mod.ts";
import { type Flag, type ParsedFlags, parseFlags, refuseUnknownFlags } from "./flags.ts";
import { writeNotice } from "./output.ts";
import { ownLines } from "./report_error.ts";
import { btfFileOf, mapSchedules, scopesOf } from "./run_flags.ts";

/** A gadget and the flags given with it, its own parameters among them. */
export interface GadgetCommandLine {
  readonly gadget: ParsedGadget;
  readonly flags: ParsedFlags;
}

/**
 * Reads the gadget, since only it knows its parameters, and then the whole command line.
 * @param table flags beside the gadget's parameters.
 * @throws UsageError, FormatError, UnsupportedError.
 */
export function parseGadgetCommandLine(
  name: string,
  args: readonly string[],
  { table, warn }: { table: readonly Flag[]; warn: (text: string) => void },
): GadgetCommandLine {
  const gadget = parseGadget(name, parseFlags(args, table).texts("annotate"));
  for (const warning of gadget.warnings) warn(warning);
  const all = [...table, ...paramFlags(gadget)];
  const flags = parseFlags(args, all);
  refuseUnknownFlags(flags, all);
  return { gadget, flags };
}

function paramFlags({ spec }: ParsedGadget): Flag[] {
  return spec.params.map(({ key, description, kind }) => ({
    name: key,
    description,
    ...(kind !== "bool" && { value: "VALUE" }),
  }));
}

/** The parameters of the gadget that a command line names, for its help; undefined if there are none. */
export function gadgetFlags(
  args: readonly string[],
  table: readonly Flag[],
): { title: string; flags: Flag[] } | undefined {
  const [name] = parseFlags(args, table).positionals;
  if (name === undefined) return undefined;
  try {
    const flags = paramFlags(parseGadget(name, []));
    return flags.length === 0 ? undefined : { title: `Parameters of ${name}`, flags };
  } catch {
    // Help is not the place to tell what is wrong with a gadget.
    return undefined;
  }
}

/** What differs between the commands that run gadgets. */
export interface GadgetOptionsContext {
  /** What the gadget is called in metrics and messages. */
  readonly name: string;
  /** Whether metrics are collected. */
  readonly metrics: boolean;
  /** Who takes part beside those of every run. */
  readonly operators: readonly Operator[];
  readonly isAttachable?: boolean;
  readonly seriesBudget: RunOptions["seriesBudget"];
  readonly warn: RunOptions["warn"];
}

/** Options of a run. @throws UsageError. */
export function gadgetOptions(
  { gadget: { spec }, flags }: GadgetCommandLine,
  { metrics, operators, ...context }: GadgetOptionsContext,
): RunOptions {
  const all = [
    ENRICH_OPERATOR,
    FILTER_OPERATOR,
    ...(metrics ? [METRICS_OPERATOR] : []),
    ...operators,
  ];
  const params = new Map<string, string>();
  for (const { key, kind } of spec.params) {
    const value = kind === "bool" ? flags.switchValue(key)?.toString() : flags.text(key);
    if (value !== undefined) params.set(key, value);
  }
  return {
    ...context,
    operators: all,
    operatorParams: operatorParams(all, flags),
    params,
    scopes: scopesOf(flags, spec),
    schedule: mapSchedules(flags, spec),
    strict: flags.has("strict"),
    btfFile: btfFileOf(flags),
    dumpCode: flags.has("dump-code")
      ? (dataSource, source) => writeNotice(`// data source ${dataSource}\n${source}`)
      : undefined,
  };
}

function operatorParams(
  operators: readonly Operator[],
  flags: ParsedFlags,
): ReadonlyMap<string, string> {
  const params = operators.flatMap(({ params }) => params ?? []);
  return new Map(params.flatMap(({ name, value }): [string, string][] => {
    const text = value === undefined ? flags.switchValue(name)?.toString() : flags.text(name);
    return text === undefined ? [] : [[name, text]];
  }));
}

/** A gadget's warning as `run` shows it: once, before anything else. */
export function noticeWarning(text: string): void {
  writeNotice(`warning: ${ownLines(text)}`);
}

/** What loading needs, told before anything is touched. @throws KernelError. */
export function requireCapabilities(): void {
  const missing = missingCapabilities();
  if (missing.length === 0) return;
  throw new KernelError(`Cannot load eBPF programs: this process lacks ${missing.join(" and ")}`, {
    call: "capget",
    errno: 1,
    hint: "run it with sudo, or give it " +
      missing.map((name) => `${name} (${CAPABILITY_USES[name]})`).join(" and "),
  });
}
