/** `kmeter run GADGET`: one gadget, its rows in the terminal, its metrics served. */

import { libbpfVersion, trimHeap } from "../../ffi/mod.ts";
import {
  CAPABILITY_USES,
  type Display,
  missingCapabilities,
  type ParsedGadget,
  parseGadget,
  RunningGadget,
  type RunOptions,
} from "../engine/mod.ts";
import type { PasswdEntry } from "../enrich/mod.ts";
import { KernelError, UsageError } from "../errors.ts";
import {
  addressText,
  Exposition,
  type ExpositionOptions,
  type ListenAddress,
  type MetricsServer,
  OwnMetrics,
  startMetricsServer,
  startSecureMetricsServer,
  type WebConfigFile,
} from "../export/mod.ts";
import { allocateSeriesBudget } from "../metrics/mod.ts";
import type { Command } from "./command.ts";
import { type Flag, type ParsedFlags, parseFlags, refuseUnknownFlags } from "./flags.ts";
import { chooseLibbpf } from "./libbpf_flag.ts";
import { writeNotice } from "./output.ts";
import { describeError, ownLines } from "./report_error.ts";
import {
  btfFileOf,
  displaySettings,
  durationMsOf,
  listenAddressOf,
  mapSchedules,
  metricsLimitOf,
  metricsPrefixOf,
  RUN_FLAGS,
  scopesOf,
  webConfigOf,
} from "./run_flags.ts";
import { notifyServiceManager } from "./service_manager.ts";
import { createTerminalDisplay, type TerminalDisplay } from "./terminal_display.ts";
import { requireWayTo, userOf } from "./user_flag.ts";
import { programVersion } from "./version.ts";
import { WarningLimit } from "./warning_limit.ts";

const DEFAULT_PRINT_INTERVAL_MS = 1000;
const warnings = new WarningLimit(writeNotice, { nowMs: () => performance.now() });

export const runCommand: Command = {
  name: "run",
  usage: "GADGET [flags]",
  summary: "run one gadget: show its rows, serve its metrics",
  details: "GADGET is a built-in name (kmeter list), a gadget's folder, or a .bpf.o file. The\n" +
    "parameters of a gadget are flags too: kmeter inspect GADGET shows them.",
  flags: RUN_FLAGS,
  run: runGadget,
};

async function runGadget(args: readonly string[]): Promise<number> {
  const known = parseFlags(args, RUN_FLAGS);
  const name = gadgetArgument(known);
  chooseLibbpf(known);
  const gadget = parseGadget(name, known.texts("annotate"));
  for (const warning of gadget.warnings) writeNotice(`warning: ${ownLines(warning)}`);
  const params: Flag[] = gadget.spec.params.map(({ key, description, kind }) => ({
    name: key,
    description,
    ...(kind !== "bool" && { value: "VALUE" }),
  }));
  const all = [...RUN_FLAGS, ...params];
  const flags = parseFlags(args, all);
  refuseUnknownFlags(flags, all);
  const stop = new StopSignal();
  try {
    const display = createTerminalDisplay({
      settings: displaySettings(flags, gadget.spec),
      onClosed: () => stop.request(),
    });
    const options = runOptions(flags, { gadget, display });
    const listen = listenAddressOf(flags);
    const exposition = {
      metricsPrefix: metricsPrefixOf(flags),
      createdSamples: flags.has("openmetrics-created"),
    };
    const timeoutMs = durationMsOf(flags, "timeout", { unitMs: 1000 });
    const webConfig = webConfigOf(flags, { warn: (text) => warnings.warn(ownLines(text)) });
    const user = userOf(flags);
    requireCapabilities();
    if (user !== undefined) requireWayTo(user);
    const run = { options, display, listen, timeoutMs, stop, exposition, user, webConfig };
    return await runUntilStopped(gadget, run);
  } finally {
    stop.close();
  }
}

function gadgetArgument(flags: ParsedFlags): string {
  const [gadget, extra] = flags.positionals;
  if (gadget === undefined) {
    throw new UsageError("kmeter run needs a gadget", {
      hint: "kmeter list shows the built-in ones; for example: kmeter run trace_exec --metrics",
    });
  }
  if (extra !== undefined) {
    throw new UsageError(`kmeter run takes one gadget, and got "${gadget}" and "${extra}" too`);
  }
  return gadget;
}

function runOptions(
  flags: ParsedFlags,
  context: { gadget: ParsedGadget; display: Display },
): RunOptions {
  const { spec } = context.gadget;
  const params = new Map<string, string>();
  for (const { key, kind } of spec.params) {
    const value = kind === "bool" ? flags.switchValue(key)?.toString() : flags.text(key);
    if (value !== undefined) params.set(key, value);
  }
  return {
    filter: flags.text("filter") ?? "",
    params,
    metrics: listenAddressOf(flags) !== undefined,
    scopes: scopesOf(flags, spec),
    schedule: mapSchedules(flags, spec),
    seriesBudget: allocateSeriesBudget(metricsLimitOf(flags)),
    printIntervalMs: durationMsOf(flags, "otel-metrics-print-interval", { unitMs: 1 }) ??
      DEFAULT_PRINT_INTERVAL_MS,
    display: context.display,
    strict: flags.has("strict"),
    btfFile: btfFileOf(flags),
    dumpCode: flags.has("dump-code")
      ? (dataSource, source) => writeNotice(`// data source ${dataSource}\n${source}`)
      : undefined,
    warn: (text, hint) =>
      warnings.warn(ownLines(text) + (hint === undefined ? "" : `\nhint: ${ownLines(hint)}`)),
  };
}

/** What loading needs, told before anything is touched. */
function requireCapabilities(): void {
  const missing = missingCapabilities();
  if (missing.length === 0) return;
  throw new KernelError(`Cannot load eBPF programs: this process lacks ${missing.join(" and ")}`, {
    call: "capget",
    errno: 1,
    hint: "run it with sudo, or give it " +
      missing.map((name) => `${name} (${CAPABILITY_USES[name]})`).join(" and "),
  });
}

interface Run {
  readonly options: RunOptions;
  readonly display: TerminalDisplay;
  readonly listen: ListenAddress | undefined;
  readonly timeoutMs: number | undefined;
  readonly stop: StopSignal;
  readonly exposition: ExpositionOptions;
  /** Who goes on when all is attached; undefined for who started it. */
  readonly user: PasswdEntry | undefined;
  readonly webConfig: WebConfigFile | undefined;
}

async function runUntilStopped(gadget: ParsedGadget, run: Run): Promise<number> {
  const metrics = run.listen === undefined
    ? undefined
    : await MetricsEndpoint.open(run.listen, run);
  // The server has its socket. Threads that start from here on inherit that no other can be opened.
  Deno.permissions.revokeSync({ name: "net" });
  try {
    const running = await RunningGadget.start(gadget, run.options);
    try {
      if (run.user !== undefined) running.leaveRoot(run.user);
      run.display.begin();
      metrics?.serve(running);
      if (metrics !== undefined) {
        writeNotice(`${gadget.spec.name}: metrics at ${metrics.url}`);
      }
      notifyServiceManager("READY=1");
      trimHeap();
      if (run.timeoutMs !== undefined && run.timeoutMs > 0) run.stop.after(run.timeoutMs);
      await Promise.race([run.stop.requested, running.finished()]);
      notifyServiceManager("STOPPING=1");
    } finally {
      await running.stop();
    }
  } finally {
    await metrics?.close();
  }
  await run.display.end();
  return 0;
}

/** The HTTP endpoint of a run. It listens before anything is loaded: a port in use leaves nothing behind. */
class MetricsEndpoint {
  readonly #own: OwnMetrics;
  readonly #exposition: Exposition;
  #server: MetricsServer | undefined;
  /** A scrape waits for it: a page without the gadget's metrics would look whole. */
  readonly #attached = Promise.withResolvers<void>();
  #running: RunningGadget | undefined;

  static async open(
    address: ListenAddress,
    { exposition, webConfig }: { exposition: ExpositionOptions; webConfig?: WebConfigFile },
  ): Promise<MetricsEndpoint> {
    const own = await OwnMetrics.load({
      buildInfo: { version: programVersion(), deno: Deno.version.deno, libbpf: libbpfVersion() },
      onError: reportScrapeError,
    });
    const endpoint = new MetricsEndpoint(own, exposition);
    endpoint.#listen(address, webConfig);
    return endpoint;
  }

  private constructor(own: OwnMetrics, exposition: ExpositionOptions) {
    this.#own = own;
    this.#exposition = new Exposition({
      ...exposition,
      registry: own.families,
      onError: ({ error }) => {
        own.countScrapeError("render");
        reportScrapeError(error);
      },
    });
  }

  #listen(address: ListenAddress, webConfig: WebConfigFile | undefined): void {
    const options = {
      ...address,
      exposition: this.#exposition,
      ownMetrics: this.#own,
      beforeScrape: () => this.#refresh(),
      landing: () => this.#landing(),
      health: () => this.#running === undefined ? "the gadget is not running yet" : undefined,
      onError: reportScrapeError,
    };
    this.#server = webConfig === undefined
      ? startMetricsServer(options)
      : startSecureMetricsServer({ ...options, webConfig });
  }

  get url(): string {
    const server = this.#server;
    return server === undefined ? "" : `${server.scheme}://${addressText(server.addr)}/metrics`;
  }

  /** @throws UsageError if two metrics would have the same name. */
  serve(running: RunningGadget): void {
    for (const set of running.metricSets) this.#exposition.add(set);
    this.#own.observe(() => running.snapshot());
    this.#running = running;
    this.#attached.resolve();
  }

  async #refresh(): Promise<void> {
    await this.#attached.promise;
    for (const [dataSource, error] of await this.#running?.refresh() ?? []) {
      this.#own.countScrapeError("refresh");
      warnings.warn(`data source ${dataSource}: ${describeError(error)}`);
    }
  }

  #landing(): Parameters<typeof startMetricsServer>[0]["landing"] extends () => infer R ? R
    : never {
    const running = this.#running;
    return {
      version: programVersion(),
      sources: (running?.metricSets ?? []).map((set) => ({
        scope: set.scope,
        description: running?.spec.description ?? "",
        metrics: this.#exposition.familyNames(set),
      })),
    };
  }

  async close(): Promise<void> {
    this.#running = undefined;
    await this.#server?.shutdown();
  }
}

function reportScrapeError(error: unknown): void {
  warnings.warn(describeError(error));
}

/** What ends a run: a signal, the timeout, or a closed stdout. */
class StopSignal {
  readonly #requested = Promise.withResolvers<void>();
  readonly #onSignal = () => this.request();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, this.#onSignal);
    }
  }

  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  request(): void {
    this.#requested.resolve();
  }

  after(timeoutMs: number): void {
    this.#timer = setTimeout(() => this.request(), timeoutMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.removeSignalListener(signal, this.#onSignal);
    }
  }
}
