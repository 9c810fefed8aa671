/** The command line. */

export type { Command, CommandBody } from "./command.ts";
export { COMMANDS } from "./commands.ts";
export type { Flag } from "./flags.ts";
export { main } from "./main.ts";
export { VERSION } from "./version.ts";
