/** Flags as data: one table serves parsing, checks and help. */

// @ts-types="./_std_parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { UsageError } from "../errors.ts";
import { suggestName } from "../text/mod.ts";

/** One flag of a command. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** One letter, without dash. */
  readonly short?: string;
  /** What stands for the value in help; absent for switches. */
  readonly value?: string;
  /** All values there are, or the usual ones: a shell completes them. */
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly repeats?: true;
  readonly description: string;
}

/** A command line, taken apart. */
export interface ParsedFlags {
  readonly positionals: readonly string[];
  /** True if the switch was given. */
  has(name: string): boolean;
  /** What a switch was set to, by `--name` or `--name=false`; undefined if it was not given. */
  switchValue(name: string): boolean | undefined;
  /** The value of a flag; undefined if it was not given. */
  text(name: string): string | undefined;
  /** All values of a flag that repeats. */
  texts(name: string): readonly string[];
  /** Flags that are not in the table, by name. */
  readonly unknown: Readonly<Record<string, string>>;
}

/** Takes arguments apart. Unknown flags are collected: gadget parameters are only known later. */
export function parseFlags(args: readonly string[], flags: readonly Flag[]): ParsedFlags {
  const withValue = flags.filter((flag) => flag.value !== undefined);
  const unknown: Record<string, string> = {};
  refuseSwitchValues(args, flags);
  const parsed = parseArgs(joinDashedValues(args, flags), {
    string: ["_", ...withValue.map(({ name }) => name)],
    boolean: flags.filter((flag) => flag.value === undefined).map(({ name }) => name),
    collect: withValue.filter((flag) => flag.repeats).map(({ name }) => name),
    alias: Object.fromEntries(
      flags.flatMap(({ name, short }) => short === undefined ? [] : [[short, name]]),
    ),
    unknown: (argument, key, value) => {
      if (key === undefined) return true;
      unknown[key] = String(value ?? argument);
      return false;
    },
  });
  for (const { name } of withValue) {
    const value = valueAt(parsed, name);
    if (value === "" || (Array.isArray(value) && value.includes(""))) {
      throw new UsageError(`--${name} needs a value`, { hint: flagUsage(flags, name) });
    }
  }
  return {
    positionals: parsed._.map(String),
    has: (name) => parsed[name] === true,
    switchValue: (name) =>
      args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))
        ? parsed[name] === true
        : undefined,
    text: (name) => {
      const value = valueAt(parsed, name);
      return typeof value === "string" ? value : undefined;
    },
    texts: (name) => {
      const values = valueAt(parsed, name);
      return Array.isArray(values) ? values.map(String) : [];
    },
    unknown,
  };
}

/** The parser makes nested objects of a name with dots. */
function valueAt(parsed: Readonly<Record<string, unknown>>, name: string): unknown {
  let value: unknown = parsed;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/**
 * `--sort -calls` becomes `--sort=-calls`, and `-ojson` becomes `--output=json`: the parser takes what
 * begins with a dash for a flag, and letters behind a short flag for more of them.
 */
function joinDashedValues(args: readonly string[], flags: readonly Flag[]): string[] {
  const spellings = (flag: Flag) => [`--${flag.name}`, ...(flag.short ? [`-${flag.short}`] : [])];
  const known = new Set(flags.flatMap(spellings));
  const takesValue = new Map(
    flags.filter(({ value }) => value !== undefined)
      .flatMap((flag) => spellings(flag).map((spelling) => [spelling, flag.name])),
  );
  const joined: string[] = [];
  for (let index = 0; index < args.length; index++) {
    if (args[index] === "--") return [...joined, ...args.slice(index)];
    const glued = takesValue.get(args[index].slice(0, 2));
    if (glued !== undefined && /^-[^-]./.test(args[index])) {
      joined.push(`--${glued}=${args[index].slice(2).replace(/^=(?!=)/, "")}`);
      continue;
    }
    const name = takesValue.get(args[index]);
    const next = args[index + 1];
    const isValue = /^-[^-]/.test(next ?? "") && !known.has(next);
    joined.push(name !== undefined && isValue ? `--${name}=${args[++index]}` : args[index]);
  }
  return joined;
}

/** Refuses what the table does not have. */
export function refuseUnknownFlags(parsed: ParsedFlags, flags: readonly Flag[]): void {
  const name = Object.keys(parsed.unknown)[0];
  if (name === undefined) return;
  const dashes = name.length === 1 ? "-" : "--";
  throw new UsageError(`There is no flag ${dashes}${name}`, {
    hint: suggestName(name, flags.map((flag) => flag.name), "flags"),
  });
}

/** The only positional argument, such as a gadget. `owner` is the command that takes it. */
export function onlyArgument(parsed: ParsedFlags, owner: string, what: string): string {
  const [argument, extra] = parsed.positionals;
  if (argument !== undefined && extra === undefined) return argument;
  const start = `kmeter ${owner}`;
  const message = argument === undefined
    ? `${start} needs ${/^[aeio]/.test(what) ? "an" : "a"} ${what}`
    : `${start} takes one ${what}, and got "${argument}" and "${extra}" too`;
  const hint = what === "gadget"
    ? `kmeter list shows the built-in ones; for example: ${start} trace_exec`
    : `${start} --help tells more`;
  throw new UsageError(message, { hint });
}

/** Refuses positional arguments. `owner` is the command that takes none. */
export function refuseArguments(parsed: ParsedFlags, owner: string): void {
  const [argument] = parsed.positionals;
  if (argument === undefined) return;
  throw new UsageError(`kmeter ${owner} takes no arguments, and got "${argument}"`, {
    hint: `kmeter ${owner} --help tells more`,
  });
}

/** A switch takes `true`, `false` or nothing. */
function refuseSwitchValues(args: readonly string[], flags: readonly Flag[]): void {
  for (const { name, value } of flags) {
    if (value !== undefined) continue;
    const given = args.find((arg) => arg.startsWith(`--${name}=`));
    if (given === undefined || /=(true|false)$/.test(given)) continue;
    throw new UsageError(`${given}: --${name} is a switch and takes no value but true or false`);
  }
}

function flagUsage(flags: readonly Flag[], name: string): string {
  const flag = flags.find((candidate) => candidate.name === name);
  return `--${name} ${flag?.value ?? ""}: ${flag?.description ?? ""}`;
}

const HELP_INDENT = 34;

/** Help lines of a flag table, one flag each. */
export function describeFlags(flags: readonly Flag[]): string {
  return flags.map((flag) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = flag.value === undefined ? "" : ` ${flag.value}`;
    const left = `  ${short}--${flag.name}${value}`;
    const gap = left.length < HELP_INDENT
      ? left.padEnd(HELP_INDENT)
      : `${left}\n${" ".repeat(HELP_INDENT)}`;
    return `${gap}${flag.description}\n`;
  }).join("");
}
