/** What a shell can complete: the kinds of flags' values and of commands' arguments. */

import type { Flag } from "../../src/cli/mod.ts";
import { builtinNames, readGadgetFiles } from "../../src/engine/mod.ts";
import { parseMetadata } from "../../src/gadget/mod.ts";
import type { WholeCommand } from "./whole_command.ts";

/** A word and what it means. */
export interface Described {
  readonly name: string;
  readonly description: string;
}

/** What completions are made of. */
export interface CompletionTable {
  readonly commands: readonly WholeCommand[];
  /** Built-in gadgets. */
  readonly gadgets: readonly Described[];
}

/** `free`: no shell can guess it. */
export type ValueKind = "file" | "choice" | "free";

/** Kind of a flag's value; undefined for a switch. */
export function valueKindOf({ value, choices }: Flag): ValueKind | undefined {
  if (value === undefined) return undefined;
  if (choices !== undefined) return "choice";
  return value === "FILE" || value === "PATH" ? "file" : "free";
}

/** `gadget`: a built-in's name, a gadget's folder or an object file. */
export type ArgumentKind = "gadget" | "folder" | "none";

/** Kind of a command's arguments, by the first word of its usage. */
export function argumentKindOf({ usage }: WholeCommand): ArgumentKind {
  if (usage.startsWith("GADGET")) return "gadget";
  return usage.startsWith("FOLDER") ? "folder" : "none";
}

/** Flags that stand in the place of a command: `kmeter --help`. */
export const TOP_FLAGS: readonly Flag[] = [
  { name: "help", short: "h", description: "show the commands" },
  { name: "version", short: "V", description: "show the versions, as kmeter version does" },
];

/** The word that is no command of the table. */
export const HELP_WORD: Described = { name: "help", description: "show the help of a command" };

/** The built-in gadgets with their descriptions, sorted by name. */
export function readGadgets(): Described[] {
  return builtinNames().map((name) => {
    const { metadataText, metadataFile } = readGadgetFiles(name);
    return { name, description: parseMetadata(metadataText ?? "", metadataFile).description };
  });
}

/** `--output` and, if it has a letter, `-o`. */
export function spellingsOf({ name, short }: Flag): string[] {
  return [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
}
