/** Commands with all that is known of them. */

import { type Command, type CommandBody, COMMANDS } from "../../src/cli/mod.ts";

/** A command whose code is loaded. */
export type WholeCommand = Omit<Command, "load"> & CommandBody;

/** All commands, in the order of the overview. */
export function loadCommands(): Promise<WholeCommand[]> {
  return Promise.all(
    COMMANDS.map(async ({ load, ...command }) => ({ ...command, ...await load() })),
  );
}
