/** What every command is. */

import type { Flag } from "./flags.ts";

/** One subcommand, as the overview shows it. */
export interface Command {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** The rest of it: the code of a command that nobody asks for is not loaded. */
  load(): Promise<CommandBody>;
}

/** What a subcommand takes and does. */
export interface CommandBody {
  /** What follows the name in usage lines, for example `GADGET [flags]`. */
  readonly usage: string;
  /** Further paragraphs of the command's help. */
  readonly details?: string;
  readonly flags: readonly Flag[];
  /** Further flags that only these arguments bring, such as parameters of a gadget; absent if there are none. */
  moreFlags?(
    args: readonly string[],
  ): { readonly title: string; readonly flags: readonly Flag[] } | undefined;
  /** @returns the exit code. @throws errors of `errors.ts`, for `main` to report. */
  run(args: readonly string[]): Promise<number> | number;
}

/** The flag that every command has. */
export const HELP_FLAG: Flag = { name: "help", short: "h", description: "show this help" };
