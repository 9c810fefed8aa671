/** `kmeter serve`: many gadgets in one process, as a file says. */

import { Mistakes } from "../config/mod.ts";
import { UsageError } from "../errors.ts";
import { parseListenAddress, pathIn, stampOf, WebConfigFile } from "../export/mod.ts";
import { allocateSeriesBudget, DEFAULT_TOTAL_SERIES_LIMIT, SeriesBudget } from "../metrics/mod.ts";
import { countOf } from "../text/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import {
  type Flag,
  type ParsedFlags,
  parseFlags,
  refuseArguments,
  refuseUnknownFlags,
} from "./flags.ts";
import { DEFAULT_SOCKET } from "./control_protocol.ts";
import { GadgetServer, instanceWarn, type ServeSettings } from "./gadget_server.ts";
import { requireCapabilities } from "./gadget_options.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { InstanceLog } from "./instance_log.ts";
import { writeOutput } from "./output.ts";
import { DEFAULT_LISTEN, parseMetricsLimit, parseMetricsPrefix } from "./run_flags.ts";
import { controlDuties } from "./serve_control.ts";
import { noteBroken, readServePlan, type ServePlan, SETTING_NAMES } from "./serve_plan.ts";
import { notifyServiceManager } from "./service_manager.ts";
import { StopSignal } from "./stop_signal.ts";
import { warn } from "./warnings.ts";

const SERVE_FLAGS: readonly Flag[] = [
  { name: "file", short: "f", value: "FILE", description: "what to run (default kmeter.yaml)" },
  { name: "check", description: "read the file, tell all its mistakes, and run nothing" },
  {
    name: "listen",
    value: "ADDR:PORT",
    description: `where to serve metrics (default ${DEFAULT_LISTEN})`,
  },
  {
    name: "web.config.file",
    value: "FILE",
    description: "TLS, passwords and headers of the server, as Prometheus' exporters have them",
  },
  { name: "metrics-prefix", value: "PREFIX", description: "put before every metric name" },
  {
    name: "metrics-limit",
    value: "N",
    description: `series of all gadgets together, at most (default ${DEFAULT_TOTAL_SERIES_LIMIT})`,
  },
  {
    name: "socket",
    value: "PATH",
    description: `where to listen for kmeter ps and others (default ${DEFAULT_SOCKET}); or none`,
  },
  {
    name: "openmetrics-created",
    description: "OpenMetrics tells since when each counter and histogram counts",
  },
  LIBBPF_FLAG,
  HELP_FLAG,
];

export const serveCommand: CommandBody = {
  usage: "[-f FILE] [flags]",
  details:
    "Keys of the file are flags of kmeter run: listen, web.config.file, metrics-prefix, metrics-limit and others for\n" +
    "all; exporters, by their names; operators; and for each of gadgets: gadget, name, params, filter, annotate and others.\n" +
    "Flags win over the file.\n" +
    "A change of the file, or SIGHUP, restarts what has changed; the other gadgets go on.",
  flags: SERVE_FLAGS,
  run: serve,
};

async function serve(args: readonly string[]): Promise<number> {
  const flags = parseFlags(args, SERVE_FLAGS);
  refuseUnknownFlags(flags, SERVE_FLAGS);
  refuseArguments(flags, "serve");
  chooseLibbpf(flags);
  const file = flags.text("file") ?? "kmeter.yaml";
  const log = new InstanceLog();
  const seriesBudget = allocateSeriesBudget(DEFAULT_TOTAL_SERIES_LIMIT);
  const context = { seriesBudget, warn: instanceWarn(log) };
  const isCheck = flags.has("check");
  const read = () => {
    // Before the file is read: what changes while it is must be seen.
    const stamp = stampOf(file);
    const mistakes = new Mistakes(file);
    const plan = readServePlan(mistakes, context);
    const settings = settingsOf(plan, { flags, mistakes });
    if (isCheck) noteBroken(plan, mistakes);
    mistakes.refuse(
      isCheck
        ? "correct them, and check again"
        : "kmeter serve --check -f FILE tells them without running anything",
    );
    for (const warning of plan.warnings) warn(warning);
    return { plan, settings, stamp, settingTexts: settingTextsOf(plan, flags) };
  };
  const first = read();
  const { plan, settings } = first;
  if (isCheck) {
    writeOutput(`${file}: ${countOf(plan.instances.length, "gadget")}, no mistakes\n`);
    return 0;
  }
  new SeriesBudget(seriesBudget).limit = settings.metricsLimit;
  requireCapabilities();
  const stop = new StopSignal();
  try {
    const server = await GadgetServer.start(first, {
      file,
      settings,
      log,
      context,
      control: controlDuties,
      read,
    });
    try {
      await stop.requested;
      notifyServiceManager("STOPPING=1");
    } finally {
      await server.close();
    }
  } finally {
    stop.close();
  }
  return 0;
}

/** Settings as they are written, by key, to tell a change. */
function settingTextsOf(plan: ServePlan, flags: ParsedFlags): ReadonlyMap<string, string> {
  const texts = SETTING_NAMES.map((name): [string, string] => [
    name,
    flagText(flags, name) ?? plan.settings.get(name)?.text ?? "",
  ]);
  const exporters = plan.exporterEntries.map(({ name, settings }) => [
    name,
    [...settings].map(([key, { text }]) => [key, text]),
  ]);
  const operators = plan.operators.map(({ text, params }) => [
    text,
    [...params].map(([key, { text }]) => [key, text]),
  ]);
  return new Map([
    ...texts,
    ["exporters", JSON.stringify(exporters)],
    ["operators", JSON.stringify(operators)],
  ]);
}

/** What a flag was set to, be it a switch. */
function flagText(flags: ParsedFlags, name: string): string | undefined {
  return flags.text(name) ?? flags.switchValue(name)?.toString();
}

/** Flags win over the file. @throws UsageError for a flag; what is wrong with the file is noted. */
function settingsOf(
  plan: ServePlan,
  { flags, mistakes }: { flags: ParsedFlags; mistakes: Mistakes },
): ServeSettings {
  const read = <T>(name: string, parse: (text: string, folder: string) => T): T | undefined => {
    const flag = flagText(flags, name);
    if (flag !== undefined) return parse(flag, "");
    const setting = plan.settings.get(name);
    if (setting === undefined) return undefined;
    const { text, place } = setting;
    return mistakes.collect(() => parse(text, plan.folder), () => place);
  };
  const chosen = read("socket", (path) => path);
  const socket = chosen ?? DEFAULT_SOCKET;
  return {
    ...(socket !== "none" && { socket }),
    isSocketChosen: chosen !== undefined,
    address: read("listen", parseListenAddress) ?? parseListenAddress(DEFAULT_LISTEN),
    metricsLimit: read("metrics-limit", parseMetricsLimit) ?? DEFAULT_TOTAL_SERIES_LIMIT,
    prefix: read("metrics-prefix", parseMetricsPrefix),
    createdSamples: read("openmetrics-created", parseSwitch) ?? false,
    exporters: plan.exporters,
    operators: plan.operators,
    webConfig: read(
      "web.config.file",
      (path, folder) => new WebConfigFile(pathIn(folder, path), { warn }),
    ),
  };
}

function parseSwitch(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new UsageError(`"${text}": wanted true or false`);
}
