/** `kmeter serve`: many gadgets in one process, as a file says. */

import { trimHeap } from "../../ffi/mod.ts";
import { Fleet } from "../engine/mod.ts";
import { UsageError } from "../errors.ts";
import { type ListenAddress, parseListenAddress, WebConfigFile } from "../export/mod.ts";
import { type Command, HELP_FLAG } from "./command.ts";
import {
  type Flag,
  type ParsedFlags,
  parseFlags,
  refuseArguments,
  refuseUnknownFlags,
} from "./flags.ts";
import { requireCapabilities } from "./gadget_options.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { MetricsEndpoint } from "./metrics_endpoint.ts";
import { writeNotice, writeOutput } from "./output.ts";
import { describeError } from "./report_error.ts";
import { DEFAULT_LISTEN, parseMetricsPrefix } from "./run_flags.ts";
import {
  isSamePlan,
  type PlannedInstance,
  readServePlan,
  type ServePlan,
  SETTING_NAMES,
} from "./serve_plan.ts";
import { notifyServiceManager } from "./service_manager.ts";
import { StopSignal } from "./stop_signal.ts";
import { warn, warnAsIs } from "./warnings.ts";

/** How often the file is looked at. */
const LOOK_INTERVAL_MS = 2000;

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
  LIBBPF_FLAG,
  HELP_FLAG,
];

export const serveCommand: Command = {
  name: "serve",
  usage: "[-f FILE] [flags]",
  summary: "run many gadgets in one process, and serve their metrics",
  details:
    "Keys of the file are flags of kmeter run: listen, web.config.file and metrics-prefix for all, and\n" +
    "for each of gadgets: gadget, name, params, filter, annotate and others. Flags win over the file.\n" +
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
  const plan = readServePlan(file, { warn: warnOf });
  for (const warning of plan.warnings) warn(warning);
  const settings = settingsOf(plan, flags);
  if (flags.has("check")) {
    writeOutput(`${file}: ${plan.instances.length} gadgets, no mistakes\n`);
    return 0;
  }
  requireCapabilities();
  const stop = new StopSignal();
  try {
    const server = await Server.start({ file, plan, flags, settings });
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

/** Settings of the whole process. */
interface Settings {
  readonly address: ListenAddress;
  readonly prefix?: string;
  readonly webConfig?: WebConfigFile;
  /** As they are written, to tell a change. */
  readonly texts: string;
}

/** Flags win over the file. @throws UsageError with the place in the file. */
function settingsOf(plan: ServePlan, flags: ParsedFlags): Settings {
  const texts = new Map<string, string>();
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const setting = plan.settings.get(name);
    const text = flags.text(name) ?? setting?.text;
    if (text === undefined) return undefined;
    texts.set(name, text);
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof UsageError) || flags.text(name) !== undefined) throw error;
      throw new UsageError(`${setting?.place}: ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
  };
  return {
    address: read("listen", parseListenAddress) ?? parseListenAddress(DEFAULT_LISTEN),
    prefix: read("metrics-prefix", parseMetricsPrefix),
    webConfig: read("web.config.file", (path) => new WebConfigFile(path, { warn })),
    texts: JSON.stringify([...texts]),
  };
}

/** All that runs. */
class Server {
  readonly #file: string;
  readonly #flags: ParsedFlags;
  readonly #settings: Settings;
  readonly #fleet: Fleet;
  readonly #endpoint: MetricsEndpoint;
  /** What runs as the file says, by name. */
  readonly #planned = new Map<string, PlannedInstance>();
  readonly #onHangup = () => void this.#reload();
  readonly #timer: ReturnType<typeof setInterval>;
  #stamp: string;
  #reloading: Promise<void> = Promise.resolve();

  /** @throws if the port cannot be had, or no gadget can start. */
  static async start(
    { file, plan, flags, settings }: {
      file: string;
      plan: ServePlan;
      flags: ParsedFlags;
      settings: Settings;
    },
  ): Promise<Server> {
    let isReady = false;
    const endpoint = await MetricsEndpoint.open({
      ...settings,
      health: () => isReady ? undefined : "the gadgets are not running yet",
      more: () => ({
        gadgets: fleet.instances.filter(({ running }) => running === undefined)
          .map(({ name }) => ({ gadget: name, isUp: false })),
      }),
    });
    const fleet = new Fleet({
      started: (running, instead) => endpoint.serve(running, instead),
      stopping: (running) => endpoint.withdraw(running),
      failed: ({ name }, error) => warnAsIs(`${name} has failed: ${describeError(error)}`),
    });
    const server = new Server({ file, flags, settings, fleet, endpoint });
    try {
      await server.#startAll(plan);
    } catch (error) {
      await server.close();
      throw error;
    }
    isReady = true;
    writeNotice(`${fleet.instances.length} gadgets: metrics at ${endpoint.url}`);
    notifyServiceManager("READY=1");
    trimHeap();
    return server;
  }

  private constructor(
    parts: {
      file: string;
      flags: ParsedFlags;
      settings: Settings;
      fleet: Fleet;
      endpoint: MetricsEndpoint;
    },
  ) {
    this.#file = parts.file;
    this.#flags = parts.flags;
    this.#settings = parts.settings;
    this.#fleet = parts.fleet;
    this.#endpoint = parts.endpoint;
    this.#stamp = stampOf(parts.file);
    Deno.addSignalListener("SIGHUP", this.#onHangup);
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
  }

  async #startAll({ instances }: ServePlan): Promise<void> {
    const failures: unknown[] = [];
    for (const instance of instances) {
      const error = await this.#startOne(instance);
      if (error !== undefined) failures.push(error);
    }
    if (failures.length > 0 && failures.length === instances.length) throw failures[0];
  }

  /** @returns why it does not run; its place is kept, and what ran in its place goes on. */
  async #startOne(planned: PlannedInstance): Promise<unknown> {
    const { name, gadget } = planned;
    try {
      await this.#fleet.replace(planned);
      this.#planned.set(name, planned);
      return undefined;
    } catch (error) {
      const runs = this.#fleet.instances.some((other) => other.name === name && other.running);
      if (!runs) this.#fleet.note({ gadget: gadget.spec.name, name, error });
      const effect = runs ? "stays as it was" : "does not run";
      warnAsIs(`${name} ${effect}: ${describeError(error)}`);
      return error;
    }
  }

  #look(): void {
    if (stampOf(this.#file) !== this.#stamp) this.#reload();
  }

  #reload(): Promise<void> {
    this.#stamp = stampOf(this.#file);
    return this.#reloading = this.#reloading.then(() => this.#apply());
  }

  /** Makes what runs what the file says. A file with mistakes changes nothing. */
  async #apply(): Promise<void> {
    let plan: ServePlan;
    try {
      plan = readServePlan(this.#file, { warn: warnOf });
      for (const warning of plan.warnings) warn(warning);
      if (settingsOf(plan, this.#flags).texts !== this.#settings.texts) {
        warn(`${this.#file} changes ${SETTING_NAMES.join(", ")}: that needs a restart`);
      }
    } catch (error) {
      warnAsIs(`All goes on as it was: ${describeError(error)}`);
      return;
    }
    const names = new Set(plan.instances.map(({ name }) => name));
    const gone = this.#fleet.instances.filter(({ name }) => !names.has(name));
    for (const { name } of gone) await this.#stopOne(name);
    let changed = 0;
    for (const instance of plan.instances) {
      const before = this.#planned.get(instance.name);
      if (before !== undefined && isSamePlan(before, instance)) continue;
      changed++;
      await this.#startOne(instance);
    }
    writeNotice(
      `${this.#file} read again: ${changed} gadgets started, ${gone.length} stopped, ` +
        `${plan.instances.length - changed} as before`,
    );
  }

  async #stopOne(name: string): Promise<void> {
    this.#planned.delete(name);
    try {
      await this.#fleet.stop(name);
    } catch (error) {
      warnAsIs(`${name}: ${describeError(error)}`);
    }
  }

  /** Stops all, gadgets first: the last scrape may still come. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    Deno.removeSignalListener("SIGHUP", this.#onHangup);
    await this.#reloading;
    try {
      await this.#fleet.close();
    } finally {
      await this.#endpoint.close();
    }
  }
}

function warnOf(name: string, text: string, hint?: string): void {
  warn(`${name}: ${text}`, hint);
}

/** Tells one state of a file from another. */
function stampOf(path: string): string {
  try {
    const { mtime, ino, size } = Deno.statSync(path);
    return [mtime?.getTime(), ino, size].join(" ");
  } catch {
    return "none";
  }
}
