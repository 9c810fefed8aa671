/** `kmeter run GADGET`: one gadget, its rows in the terminal, its metrics served. */

import { releaseStartMemory } from "../../ffi/mod.ts";
import { type ParsedGadget, RunningGadget, type RunOptions } from "../engine/mod.ts";
import type { PasswdEntry } from "../enrich/mod.ts";
import {
  type ExporterOptions,
  type ListenAddress,
  type OwnMetrics,
  type OwnMetricsSnapshot,
  shownUrl,
  type WebConfigFile,
} from "../export/mod.ts";
import { allocateSeriesBudget } from "../metrics/mod.ts";
import type { CommandBody } from "./command.ts";
import { exportersOf } from "./exporter_flags.ts";
import { onlyArgument, parseFlags } from "./flags.ts";
import {
  gadgetFlags,
  gadgetOptions,
  noticeWarning,
  parseGadgetCommandLine,
  requireCapabilities,
} from "./gadget_options.ts";
import { chooseLibbpf } from "./libbpf_flag.ts";
import { cliOperator } from "./cli_operator.ts";
import { loadOwnMetrics, MetricsEndpoint } from "./metrics_endpoint.ts";
import { MetricsPush } from "./metrics_push.ts";
import { OperatorThreads } from "./operator_threads.ts";
import { showProgress, writeNotice } from "./output.ts";
import {
  displaySettings,
  durationMsOf,
  listenAddressOf,
  mapSchedules,
  metricsLimitOf,
  metricsPrefixOf,
  orderWarnings,
  printIntervalMsOf,
  RUN_FLAGS,
  webConfigOf,
} from "./run_flags.ts";
import { summaryOperator } from "./run_summary.ts";
import { notifyServiceManager } from "./service_manager.ts";
import { StopSignal } from "./stop_signal.ts";
import { OutputTerminal } from "./terminal.ts";
import { createTerminalDisplay, type TerminalDisplay } from "./terminal_display.ts";
import { requireWayTo, userOf } from "./user_flag.ts";
import { warn } from "./warnings.ts";

export const runCommand: CommandBody = {
  usage: "GADGET [flags]",
  details: "GADGET is a built-in name (kmeter list), a gadget's folder, or a .bpf.o file. The\n" +
    "parameters of a gadget are flags too: kmeter inspect GADGET shows them.",
  flags: RUN_FLAGS,
  moreFlags: (args) => gadgetFlags(args, RUN_FLAGS),
  run: runGadget,
};

async function runGadget(args: readonly string[]): Promise<number> {
  const known = parseFlags(args, RUN_FLAGS);
  const name = onlyArgument(known, "run", "gadget");
  chooseLibbpf(known);
  const named = known.texts("operator").map((text) => ({ text }));
  const threads = await OperatorThreads.open(named, { warn });
  // From here on only they may write files and start programs.
  for (const name of ["run", "write"] as const) Deno.permissions.revokeSync({ name });
  const stop = new StopSignal();
  try {
    const table = [...RUN_FLAGS, ...threads.flagsBeside(RUN_FLAGS)];
    const line = parseGadgetCommandLine(name, args, { table, warn: noticeWarning });
    const { gadget, flags } = line;
    threads.refuseIdleFlags(flags);
    threads.refuseParamsOf(gadget.spec);
    const display = createTerminalDisplay({
      title: gadget.spec.name,
      settings: displaySettings(flags, gadget.spec),
      terminal: new OutputTerminal(() => stop.request()),
    });
    const listen = listenAddressOf(flags);
    const exporters = exportersOf(flags, (name) => Deno.env.get(name));
    const metrics = listen !== undefined || exporters.length > 0;
    const seriesBudget = allocateSeriesBudget(metricsLimitOf(flags));
    const draw = {
      intervalMs: printIntervalMsOf(flags),
      schedule: mapSchedules(flags, gadget.spec),
    };
    const options = gadgetOptions(line, {
      name: gadget.spec.name,
      metrics,
      operators: [...threads.operators, cliOperator(display, draw)],
      seriesBudget,
      warn,
    });
    const prefix = metricsPrefixOf(flags);
    const createdSamples = flags.has("openmetrics-created");
    const timeoutMs = durationMsOf(flags, "timeout", { unitMs: 1000 });
    const webConfig = webConfigOf(flags, { warn });
    const user = userOf(flags);
    for (const warning of orderWarnings(flags, gadget.spec)) noticeWarning(warning);
    requireCapabilities();
    if (user !== undefined) requireWayTo(user);
    const run = {
      options,
      display,
      listen,
      exporters,
      timeoutMs,
      stop,
      prefix,
      createdSamples,
      user,
      webConfig,
      threads,
    };
    return await runUntilStopped(gadget, run);
  } finally {
    stop.close();
    await threads.close();
  }
}

interface Run {
  readonly options: RunOptions;
  readonly display: TerminalDisplay;
  readonly listen: ListenAddress | undefined;
  /** Where metrics are pushed to. */
  readonly exporters: readonly ExporterOptions[];
  readonly timeoutMs: number | undefined;
  readonly stop: StopSignal;
  readonly prefix: string | undefined;
  readonly createdSamples: boolean;
  /** Who goes on when all is attached; undefined for who started it. */
  readonly user: PasswdEntry | undefined;
  readonly webConfig: WebConfigFile | undefined;
  readonly threads: OperatorThreads;
}

async function runUntilStopped(gadget: ParsedGadget, run: Run): Promise<number> {
  let running: RunningGadget | undefined;
  let summary: string | undefined;
  const exports = run.listen !== undefined || run.exporters.length > 0;
  const own = exports ? await loadOwnMetrics() : undefined;
  const push = own && await openPush(run, own);
  const metrics = run.listen === undefined ? undefined : await MetricsEndpoint.open({
    ...run,
    own,
    address: run.listen,
    health: () => running === undefined ? "the gadget is not running yet" : undefined,
    more: () => more({ push, threads: run.threads }),
  });
  // Sockets are open, or belong to the thread that pushes. Threads that start from here on cannot open any.
  Deno.permissions.revokeSync({ name: "net" });
  try {
    const exporters = [metrics?.operator, push?.operator()].filter((one) => one !== undefined);
    const summaries = summaryOperator((text) => summary = text);
    const operators = [...run.options.operators, summaries, ...exporters];
    const endProgress = showProgress(`loading ${gadget.spec.name}`);
    running = await RunningGadget.start(gadget, { ...run.options, operators }).finally(endProgress);
    try {
      if (run.user !== undefined) running.leaveRoot(run.user);
      if (metrics === undefined) observe(running, { own, push, threads: run.threads });
      await running.begin();
      push?.begin();
      metrics?.ready();
      tellDestinations(gadget.spec.name, { url: metrics?.url, exporters: run.exporters });
      notifyServiceManager("READY=1");
      releaseStartMemory();
      if (run.timeoutMs !== undefined && run.timeoutMs > 0) run.stop.after(run.timeoutMs);
      await Promise.race([run.stop.requested, running.finished()]);
      notifyServiceManager("STOPPING=1");
    } finally {
      try {
        await running.stop();
      } finally {
        await push?.finish();
      }
    }
  } finally {
    run.display.leave();
    push?.close();
    await metrics?.close();
  }
  const isRead = await run.display.end();
  if (isRead && summary !== undefined && Deno.stderr.isTerminal()) writeNotice(summary);
  return 0;
}

function tellDestinations(
  name: string,
  { url, exporters }: { url: string | undefined; exporters: readonly ExporterOptions[] },
): void {
  if (url !== undefined) writeNotice(`${name}: metrics at ${url}`);
  for (const exporter of exporters) {
    const interval = `${exporter.intervalMs / 1000} s`;
    writeNotice(`${name}: pushing metrics to ${shownUrl(exporter)} every ${interval}`);
  }
}

async function openPush(run: Run, own: OwnMetrics): Promise<MetricsPush | undefined> {
  const { exporters, prefix } = run;
  if (exporters.length === 0) return undefined;
  return await MetricsPush.open({ exporters, own, prefix, warn: run.options.warn });
}

interface Exporting {
  readonly push: MetricsPush | undefined;
  readonly threads: OperatorThreads;
}

/** For a run without a page, which would do the same. */
function observe(
  running: RunningGadget,
  { own, ...exporting }: Exporting & { readonly own: OwnMetrics | undefined },
): void {
  own?.observe(() => ({ ...running.snapshot(), ...more(exporting) }));
}

/** What kmeter tells beside the gadget. */
function more({ push, threads }: Exporting): Pick<OwnMetricsSnapshot, "pushes" | "operators"> {
  return { pushes: push?.stats, operators: threads.stats };
}
