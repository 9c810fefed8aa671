/** Picks the command, and turns errors into text and exit codes. */

import { UsageError } from "../errors.ts";
import { suggestName } from "../text/mod.ts";
import type { Command, CommandBody } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { describeFlags } from "./flags.ts";
import { flushNotices, writeNotice, writeOutput } from "./output.ts";
import { describeError, exitCodeOf } from "./report_error.ts";

/** Runs a command line. @returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    writeNotice(describeError(error));
    return exitCodeOf(error);
  } finally {
    await flushNotices();
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    writeNotice(overview().trimEnd());
    return 2;
  }
  if (name === "help" || name === "--help" || name === "-h") {
    const topic = name === "help" && rest.length > 0 ? findCommand(rest[0]) : undefined;
    writeOutput(topic === undefined ? overview() : commandHelp(topic, await topic.load()));
    return 0;
  }
  if (name === "--version" || name === "-V") return await dispatch(["version"]);
  const command = findCommand(name);
  const body = await command.load();
  if (rest.includes("--help") || rest.includes("-h")) {
    writeOutput(commandHelp(command, body, rest));
    return 0;
  }
  return await body.run(rest);
}

function findCommand(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  throw new UsageError(`There is no command "${name}"`, {
    hint: suggestName(name, COMMANDS.map((candidate) => candidate.name), "commands"),
  });
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return "kmeter runs eBPF gadgets and turns what they see into metrics.\n\n" +
    "Usage: kmeter COMMAND [arguments]\n\n" +
    `${lines.join("")}\n` +
    "kmeter COMMAND --help tells more. Start with: sudo kmeter run trace_exec --metrics\n";
}

function commandHelp(
  { name, summary }: Command,
  body: CommandBody,
  args: readonly string[] = [],
): string {
  const { usage, details, flags } = body;
  const own = body.moreFlags?.(args);
  const ownText = own === undefined ? "" : `\n${own.title}:\n${describeFlags(own.flags)}`;
  const more = details === undefined ? "" : `\n${details}\n`;
  return `kmeter ${name}: ${summary}\n\nUsage: kmeter ${name} ${usage}\n${more}\nFlags:\n` +
    describeFlags(flags) + ownText;
}
