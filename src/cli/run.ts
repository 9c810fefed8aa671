/** `kmeter run GADGET`: one gadget, its rows in the terminal, its metrics served. */

import { trimHeap } from "../../ffi/mod.ts";
import { type ParsedGadget, RunningGadget, type RunOptions } from "../engine/mod.ts";
import type { PasswdEntry } from "../enrich/mod.ts";
import {
  type ExporterOptions,
  type ListenAddress,
  type OwnMetrics,
  shownUrl,
  type WebConfigFile,
} from "../export/mod.ts";
import { allocateSeriesBudget } from "../metrics/mod.ts";
import type { Command } from "./command.ts";
import { exportersOf } from "./exporter_flags.ts";
import { onlyArgument, parseFlags } from "./flags.ts";
import {
  gadgetOptions,
  noticeWarning,
  parseGadgetCommandLine,
  requireCapabilities,
} from "./gadget_options.ts";
import { chooseLibbpf } from "./libbpf_flag.ts";
import { loadOwnMetrics, MetricsEndpoint } from "./metrics_endpoint.ts";
import { MetricsPush } from "./metrics_push.ts";
import { showProgress, writeNotice } from "./output.ts";
import {
  displaySettings,
  durationMsOf,
  listenAddressOf,
  metricsLimitOf,
  metricsPrefixOf,
  orderWarnings,
  RUN_FLAGS,
  webConfigOf,
} from "./run_flags.ts";
import { runSummary } from "./run_summary.ts";
import { notifyServiceManager } from "./service_manager.ts";
import { StopSignal } from "./stop_signal.ts";
import { OutputTerminal } from "./terminal.ts";
import { createTerminalDisplay, type TerminalDisplay } from "./terminal_display.ts";
import { requireWayTo, userOf } from "./user_flag.ts";
import { warn } from "./warnings.ts";

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
  const name = onlyArgument(known, "run", "gadget");
  chooseLibbpf(known);
  const line = parseGadgetCommandLine(name, args, { table: RUN_FLAGS, warn: noticeWarning });
  const { gadget, flags } = line;
  const stop = new StopSignal();
  try {
    const display = createTerminalDisplay({
      title: gadget.spec.name,
      settings: displaySettings(flags, gadget.spec),
      terminal: new OutputTerminal(() => stop.request()),
    });
    const listen = listenAddressOf(flags);
    const exporters = exportersOf(flags, (name) => Deno.env.get(name));
    const metrics = listen !== undefined || exporters.length > 0;
    const seriesBudget = allocateSeriesBudget(metricsLimitOf(flags));
    const options = gadgetOptions(line, {
      name: gadget.spec.name,
      display,
      metrics,
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
    };
    return await runUntilStopped(gadget, run);
  } finally {
    stop.close();
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
}

async function runUntilStopped(gadget: ParsedGadget, run: Run): Promise<number> {
  let running: RunningGadget | undefined;
  let summary: string | undefined;
  const own = run.options.metrics ? await loadOwnMetrics() : undefined;
  const push = own && await openPush(run, own);
  const metrics = run.listen === undefined ? undefined : await MetricsEndpoint.open({
    ...run,
    own,
    address: run.listen,
    health: () => running === undefined ? "the gadget is not running yet" : undefined,
    more: () => ({ pushes: push?.stats }),
  });
  // Sockets are open, or belong to the thread that pushes. Threads that start from here on cannot open any.
  Deno.permissions.revokeSync({ name: "net" });
  try {
    const startMs = Date.now();
    const endProgress = showProgress(`loading ${gadget.spec.name}`);
    running = await RunningGadget.start(gadget, run.options).finally(endProgress);
    const attachedMs = performance.now();
    try {
      if (run.user !== undefined) running.leaveRoot(run.user);
      run.display.begin();
      if (metrics === undefined) observe(running, { own, push });
      metrics?.serve(running);
      push?.begin(running, startMs);
      metrics?.ready();
      if (metrics !== undefined) {
        writeNotice(`${gadget.spec.name}: metrics at ${metrics.url}`);
      }
      for (const exporter of run.exporters) {
        const interval = `${exporter.intervalMs / 1000} s`;
        writeNotice(
          `${gadget.spec.name}: pushing metrics to ${shownUrl(exporter)} every ${interval}`,
        );
      }
      notifyServiceManager("READY=1");
      trimHeap();
      if (run.timeoutMs !== undefined && run.timeoutMs > 0) run.stop.after(run.timeoutMs);
      await Promise.race([run.stop.requested, running.finished()]);
      notifyServiceManager("STOPPING=1");
    } finally {
      const durationMs = performance.now() - attachedMs;
      const { spec } = gadget;
      const beforeFreeing = () => {
        summary = running && runSummary(spec, { snapshot: running.snapshot(), durationMs });
        // The last push may take its time.
        run.display.leave();
        return push?.finish();
      };
      await running.stop({ beforeFreeing });
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

async function openPush(run: Run, own: OwnMetrics): Promise<MetricsPush | undefined> {
  const { exporters, prefix } = run;
  if (exporters.length === 0) return undefined;
  return await MetricsPush.open({ exporters, own, prefix, warn: run.options.warn });
}

/** For a run without a page, which would do the same. */
function observe(
  running: RunningGadget,
  { own, push }: { own: OwnMetrics | undefined; push: MetricsPush | undefined },
): void {
  own?.observe(() => ({ ...running.snapshot(), pushes: push?.stats }));
}
