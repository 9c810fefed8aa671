/** What `kmeter serve` does when it is told to by `ps`, `start`, `stop`, `logs` and `attach`. */

import { isGadgetName, NAME_RULE } from "../config/mod.ts";
import type { Instance } from "../engine/mod.ts";
import { UsageError } from "../errors.ts";
import type { ControlRequest, InstanceStatus } from "./control_protocol.ts";
import type { ControlSession } from "./control_connection.ts";
import type { ControlDuties } from "./control_server.ts";
import { cliOperator } from "./cli_operator.ts";
import { parseFlags, refuseUnknownFlags } from "./flags.ts";
import type { GadgetServer } from "./gadget_server.ts";
import type { LogLine } from "./instance_log.ts";
import { errorText } from "./report_error.ts";
import {
  ATTACH_FLAGS,
  DEFAULT_PRINT_INTERVAL_MS,
  displaySettings,
  orderWarnings,
} from "./run_flags.ts";
import { planInstance } from "./serve_plan.ts";
import { RemoteTerminal } from "./remote_terminal.ts";
import { createTerminalDisplay } from "./terminal_display.ts";

type Request<C extends ControlRequest["command"]> = Extract<ControlRequest, { command: C }>;

/** What a server does for its socket. */
export function controlDuties(server: GadgetServer): ControlDuties {
  return {
    handle: (request, session) => {
      switch (request.command) {
        case "ps":
          return Promise.resolve(
            session.send({ kind: "instances", instances: server.fleet.instances.map(statusOf) }),
          );
        case "start":
          return start(server, request, session);
        case "stop":
          return stop(server, request, session);
        case "logs":
          return logs(server, request, session);
        case "attach":
          return attach(server, request, session);
        default:
          throw new UsageError("The server does not know this command", {
            hint: "the versions of kmeter and of kmeter serve differ: kmeter version",
          });
      }
    },
    describe: (error) => {
      const { message = String(error), hint } = error as { message?: string; hint?: string };
      return { message, ...(hint !== undefined && { hint }) };
    },
  };
}

function statusOf(instance: Instance): InstanceStatus {
  const { id, name, gadget, startedMs, running, error } = instance;
  const sources = running?.snapshot().dataSources ?? [];
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    id,
    name,
    gadget,
    state: running === undefined ? "failed" : "running",
    startedMs,
    eventsReceived: sum(sources.map(({ eventsReceived }) => eventsReceived)),
    eventsLost: sum(sources.flatMap(({ eventsLost }) => Object.values(eventsLost))),
    series: sum(sources.map(({ series }) => series)),
    ...(error !== undefined && { error: errorText(error) }),
  };
}

async function start(
  server: GadgetServer,
  { gadget, name, args }: Request<"start">,
  session: ControlSession,
): Promise<void> {
  const base = name ?? gadget.replace(/\/+$/, "").replace(/^.*\//, "").replace(/(\.bpf)?\.o$/, "");
  if (!isGadgetName(base)) {
    throw new UsageError(`"${base}" is no name for a gadget`, {
      hint: `${NAME_RULE}: --name my_gadget`,
    });
  }
  const planned = planInstance({ name: base, gadget, args }, {
    ...server.context,
    folder: "",
    exporterNames: server.exporterNames,
  });
  const instance = await server.start(planned);
  session.send({ kind: "text", text: `${instance.id} ${instance.name}\n` });
}

async function stop(
  server: GadgetServer,
  { id }: Request<"stop">,
  session: ControlSession,
): Promise<void> {
  const { name } = server.fleet.find(id);
  await server.fleet.stop(name);
  session.send({ kind: "text", text: `${name}\n` });
}

async function logs(
  server: GadgetServer,
  { id, follow }: Request<"logs">,
  session: ControlSession,
): Promise<void> {
  const name = id === undefined ? undefined : server.fleet.find(id).name;
  const textOf = (line: LogLine) =>
    `${new Date(line.timeMs).toISOString()} ${line.name} ${line.text}\n`;
  session.send({ kind: "text", text: server.log.lines(name).map(textOf).join("") });
  if (!follow) return;
  const end = server.log.listen((line) => {
    if (name === undefined || line.name === name) {
      session.send({ kind: "text", text: textOf(line) });
    }
  });
  try {
    await aborted(session.signal);
  } finally {
    end();
  }
}

async function attach(
  server: GadgetServer,
  { id, args, terminal }: Request<"attach">,
  session: ControlSession,
): Promise<void> {
  const instance = server.fleet.find(id);
  const { running } = instance;
  if (running === undefined) {
    throw new UsageError(`Gadget "${instance.name}" does not run: ${errorText(instance.error)}`, {
      hint: `kmeter logs ${instance.name} tells more`,
    });
  }
  const flags = parseFlags(args, ATTACH_FLAGS);
  refuseUnknownFlags(flags, ATTACH_FLAGS);
  const display = createTerminalDisplay({
    title: instance.name,
    settings: displaySettings(flags, running.spec),
    terminal: new RemoteTerminal(terminal, session),
  });
  for (const text of orderWarnings(flags, running.spec)) display.notice(`warning: ${text}`);
  const schedule = () => ({});
  const intervalMs = DEFAULT_PRINT_INTERVAL_MS;
  const viewing = await running.attach(cliOperator(display, { intervalMs, schedule }));
  const stopped = Promise.withResolvers<void>();
  const end = server.onStop(instance, () => {
    display.notice(`${instance.name} has ended`);
    stopped.resolve();
  });
  // Among them are rows that are left out because this client reads slowly.
  const endWarnings = server.log.listen(({ name, text }) => {
    if (name === instance.name) display.notice(`warning: ${text}`);
  });
  try {
    display.begin();
    await Promise.race([viewing.finished, stopped.promise, aborted(session.signal)]);
  } finally {
    end();
    endWarnings();
    viewing.stop();
    display.leave();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
