/** `kmeter ps`, `start`, `stop`, `logs` and `attach`: what can be asked of a `kmeter serve` that runs. */

import { UsageError } from "../errors.ts";
import { escapeControls, escapeControlsInJson } from "../text/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { askServer, SOCKET_FLAG } from "./control_client.ts";
import { gadgetFlags } from "./gadget_options.ts";
import type { InstanceStatus } from "./control_protocol.ts";
import {
  type Flag,
  onlyArgument,
  parseFlags,
  refuseArguments,
  refuseUnknownFlags,
} from "./flags.ts";
import { escapeLines, writeOutput } from "./output.ts";
import { INSTANCE_FLAGS } from "./serve_plan.ts";

const PS_FLAGS: readonly Flag[] = [
  {
    name: "output",
    short: "o",
    value: "MODE",
    choices: ["columns", "json"],
    description: "columns or json",
  },
  SOCKET_FLAG,
  HELP_FLAG,
];

export const psCommand: CommandBody = {
  usage: "[flags]",
  flags: PS_FLAGS,
  async run(args) {
    const flags = parseFlags(args, PS_FLAGS);
    refuseUnknownFlags(flags, PS_FLAGS);
    refuseArguments(flags, "ps");
    const mode = flags.text("output") ?? "columns";
    if (mode !== "columns" && mode !== "json") {
      throw new UsageError(`--output "${mode}": there is no such mode`, {
        hint: "columns or json",
      });
    }
    await askServer(flags, { command: "ps" }, {
      onReply: (reply) => {
        if (reply.kind !== "instances") return;
        const { instances } = reply;
        writeOutput(
          mode === "json"
            ? `${escapeControlsInJson(JSON.stringify(instances))}\n`
            : table(instances),
        );
      },
    });
    return 0;
  },
};

const START_FLAGS: readonly Flag[] = [
  { name: "name", value: "NAME", description: "what to call it (default: the gadget's name)" },
  SOCKET_FLAG,
  ...INSTANCE_FLAGS,
  HELP_FLAG,
];

export const startCommand: CommandBody = {
  usage: "GADGET [flags]",
  details:
    "Takes the gadget's parameters too. It runs until kmeter stop, or until the server ends.",
  flags: START_FLAGS,
  moreFlags: (args) => gadgetFlags(args, START_FLAGS),
  async run(args) {
    const flags = parseFlags(args, START_FLAGS);
    const gadget = onlyArgument(flags, "start", "gadget");
    const own = new Set(["name", "socket"]);
    const name = flags.text("name");
    await askServer(flags, {
      command: "start",
      gadget: gadget.includes("/") ? absolute(gadget) : gadget,
      ...(name !== undefined && { name }),
      args: withoutFlags(args, { gadget, own }),
    });
    return 0;
  },
};

const STOP_FLAGS: readonly Flag[] = [SOCKET_FLAG, HELP_FLAG];

export const stopCommand: CommandBody = {
  usage: "ID|NAME [flags]",
  details: "One that the file names comes back when the file is read again.",
  flags: STOP_FLAGS,
  async run(args) {
    const flags = parseFlags(args, STOP_FLAGS);
    refuseUnknownFlags(flags, STOP_FLAGS);
    await askServer(flags, { command: "stop", id: onlyArgument(flags, "stop", "id or name") });
    return 0;
  },
};

const LOGS_FLAGS: readonly Flag[] = [
  { name: "follow", description: "go on with what is new" },
  SOCKET_FLAG,
  HELP_FLAG,
];

export const logsCommand: CommandBody = {
  usage: "[ID|NAME] [flags]",
  flags: LOGS_FLAGS,
  async run(args) {
    const flags = parseFlags(args, LOGS_FLAGS);
    refuseUnknownFlags(flags, LOGS_FLAGS);
    const [id] = flags.positionals;
    if (id !== undefined) onlyArgument(flags, "logs", "id or name");
    await askServer(flags, {
      command: "logs",
      follow: flags.has("follow"),
      ...(id !== undefined && { id }),
    });
    return 0;
  },
};

/** The server may have another working directory. */
function absolute(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (cause) {
    throw new UsageError(`There is no gadget "${path}": no such folder or file`, { cause });
  }
}

/** The command line of the gadget alone. */
function withoutFlags(
  args: readonly string[],
  { gadget, own }: { gadget: string; own: ReadonlySet<string> },
): string[] {
  const rest: string[] = [];
  let gadgetSeen = false;
  for (let index = 0; index < args.length; index++) {
    const [name] = args[index].replace(/^--/, "").split("=", 1);
    if (args[index].startsWith("--") && own.has(name)) {
      if (!args[index].includes("=")) index++;
    } else if (args[index] === gadget && !gadgetSeen) gadgetSeen = true;
    else rest.push(args[index]);
  }
  return rest;
}

const COLUMNS = ["ID", "NAME", "GADGET", "STATE", "STARTED", "EVENTS", "LOST", "SERIES"];

function table(instances: readonly InstanceStatus[]): string {
  const rows = instances.map((instance) => [
    String(instance.id),
    instance.name,
    escapeControls(instance.gadget),
    instance.state,
    new Date(instance.startedMs).toISOString().replace(/\.\d+/, ""),
    String(instance.eventsReceived),
    String(instance.eventsLost),
    String(instance.series),
  ]);
  const widths = COLUMNS.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column].length))
  );
  const line = (cells: readonly string[]) =>
    `${cells.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()}\n`;
  const errors = instances.flatMap(({ name, error }) =>
    error === undefined ? [] : [`${name}: ${escapeLines(error)}\n`]
  );
  return [line(COLUMNS), ...rows.map(line), ...errors].join("");
}
