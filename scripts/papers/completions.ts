/** Completions of the command line for shells, made from the table that `--help` shows. */

import { bashCompletion } from "./bash_completion.ts";
import { fishCompletion } from "./fish_completion.ts";
import { loadCommands } from "./whole_command.ts";
import { type CompletionTable, readGadgets } from "./word_kinds.ts";
import { zshCompletion } from "./zsh_completion.ts";

const WRITERS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** A shell that kmeter has completions for. */
export type Shell = keyof typeof WRITERS;

export const SHELLS = Object.keys(WRITERS) as readonly Shell[];

/** The script that a shell reads. */
export async function completionFor(shell: Shell): Promise<string> {
  const table: CompletionTable = { commands: await loadCommands(), gadgets: readGadgets() };
  return WRITERS[shell](table);
}
