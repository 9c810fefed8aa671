/** What `kmeter serve` runs: gadgets as the file says, and those that are started by hand. */

import { releaseStartMemory } from "../../ffi/mod.ts";
import type { OperatorEntry } from "../config/mod.ts";
import { Fleet, type Instance, type InstanceRequest, type RunningGadget } from "../engine/mod.ts";
import {
  type ExporterOptions,
  type GadgetStats,
  type ListenAddress,
  shownUrl,
  stampOf,
  type WebConfigFile,
} from "../export/mod.ts";
import type { Operator } from "../operators/mod.ts";
import { type ControlDuties, ControlServer } from "./control_server.ts";
import type { InstanceLog } from "./instance_log.ts";
import { loadOwnMetrics, MetricsEndpoint } from "./metrics_endpoint.ts";
import { MetricsPush } from "./metrics_push.ts";
import { OperatorThreads } from "./operator_threads.ts";
import { countOf } from "../text/mod.ts";
import { writeNotice } from "./output.ts";
import { errorWithHint } from "./report_error.ts";
import {
  type BrokenInstance,
  isSamePlan,
  type PlanContext,
  type PlannedInstance,
  type ServePlan,
} from "./serve_plan.ts";
import { notifyServiceManager } from "./service_manager.ts";
import { warn, warnAsIs, warningText } from "./warnings.ts";

/** How often the file is looked at. */
const LOOK_INTERVAL_MS = 2000;

/** Settings of the whole process. */
export interface ServeSettings {
  readonly address: ListenAddress;
  readonly prefix?: string;
  readonly createdSamples: boolean;
  /** Where metrics are pushed to. */
  readonly exporters: readonly ExporterOptions[];
  readonly webConfig?: WebConfigFile;
  readonly metricsLimit: number;
  readonly operators: readonly OperatorEntry[];
  /** Path of the control socket; absent for none. */
  readonly socket?: string;
  /** True if it is not the usual one. */
  readonly isSocketChosen: boolean;
}

/** What the file says at one moment. */
export interface ReadPlan {
  readonly plan: ServePlan;
  /** Tells this state of the file from another. */
  readonly stamp: string;
  /** Settings as they are written, by key, to tell a change. */
  readonly settingTexts: ReadonlyMap<string, string>;
}

/** What a server is made of. */
export interface GadgetServerOptions {
  readonly file: string;
  readonly settings: ServeSettings;
  readonly log: InstanceLog;
  readonly context: PlanContext;
  /** What the socket is for. */
  readonly control: (server: GadgetServer) => ControlDuties;
  /** Reads the file again. @throws what is wrong with it. */
  readonly read: () => ReadPlan;
}

/** Runs until `close()`, which stops all. */
export class GadgetServer {
  readonly fleet: Fleet;
  readonly #options: GadgetServerOptions;
  readonly #endpoint: MetricsEndpoint;
  readonly #push: MetricsPush | undefined;
  readonly #threads: OperatorThreads;
  /** Has every gadget on the page. */
  readonly #page: Operator;
  /** What the file says, by name. */
  #planned = new Map<string, PlannedInstance>();
  /** Told when a gadget stops, whoever stops it. */
  readonly #stopListeners = new Map<RunningGadget, Set<() => void>>();
  readonly #onHangup = () => void this.#reload();
  readonly #first: ReadPlan;
  /** Names in the file, those included that do not run. */
  #names: ReadonlySet<string>;
  #timer: ReturnType<typeof setInterval> | undefined;
  #listensToHangup = false;
  #control: ControlServer | undefined;
  #stamp: string;
  #reloading: Promise<void> = Promise.resolve();

  /** @throws if the port cannot be had, or no gadget can start. */
  static async start(first: ReadPlan, options: GadgetServerOptions): Promise<GadgetServer> {
    let isReady = false;
    const { exporters, prefix } = options.settings;
    const own = await loadOwnMetrics();
    const push = exporters.length === 0
      ? undefined
      : await MetricsPush.open({ exporters, own, prefix, warn: warnAsIs });
    // Theirs alone from here on: sockets of the server are files that it must be able to write.
    const threads = await OperatorThreads.open(options.settings.operators, { warn });
    Deno.permissions.revokeSync({ name: "run" });
    const endpoint = await MetricsEndpoint.open({
      ...options.settings,
      own,
      health: () => isReady ? undefined : "the gadgets are not running yet",
      more: () => ({
        gadgets: isReady ? server.downGadgets() : [],
        pushes: push?.stats,
        operators: threads.stats,
      }),
    });
    const server = new GadgetServer({ endpoint, push, threads }, first, options);
    try {
      await server.#openSocket();
      await server.#startAll(first.plan);
    } catch (error) {
      await server.close();
      throw error;
    }
    // All sockets are there. Threads that start from here on inherit that no other can be opened.
    Deno.permissions.revokeSync({ name: "net" });
    isReady = true;
    endpoint.ready();
    push?.begin();
    server.#follow();
    writeNotice(`${countOf(server.fleet.instances.length, "gadget")}: metrics at ${endpoint.url}`);
    for (const exporter of exporters) {
      writeNotice(`pushing metrics to ${shownUrl(exporter)} every ${exporter.intervalMs / 1000} s`);
    }
    notifyServiceManager("READY=1");
    releaseStartMemory();
    return server;
  }

  private constructor(
    { endpoint, push, threads }: {
      endpoint: MetricsEndpoint;
      push: MetricsPush | undefined;
      threads: OperatorThreads;
    },
    first: ReadPlan,
    options: GadgetServerOptions,
  ) {
    this.#endpoint = endpoint;
    this.#push = push;
    this.#threads = threads;
    this.#page = endpoint.operator;
    this.#options = options;
    this.fleet = new Fleet({
      stopping: (running) => this.#tellStop(running),
      failed: ({ name }, error) => this.#tell(name, `has failed: ${errorWithHint(error)}`),
      endedBadly: (name, error) => this.#tell(name, `did not end well: ${errorWithHint(error)}`),
    });
    this.#first = first;
    this.#names = namesOf(first.plan);
    this.#stamp = first.stamp;
  }

  /** From now on a change of the file, or SIGHUP, has it read again. */
  #follow(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);
    // There the signal says that the terminal is gone.
    if (Deno.stdin.isTerminal()) return;
    this.#listensToHangup = true;
    Deno.addSignalListener("SIGHUP", this.#onHangup);
  }

  /** Gadgets that should run and do not. */
  downGadgets(): GadgetStats[] {
    return this.fleet.instances.filter(({ running }) => running === undefined)
      .map(({ name, error }) => ({ gadget: name, isUp: false, reason: errorWithHint(error) }));
  }

  /** What gadgets share that are started by hand. */
  get context(): PlanContext {
    return this.#options.context;
  }

  /** Those that there are, whatever the file says by now. */
  get exporterNames(): readonly string[] {
    return this.#options.settings.exporters.map(({ name }) => name);
  }

  get log(): InstanceLog {
    return this.#options.log;
  }

  /** Calls back when the gadget stops or is replaced. @returns what ends it. */
  onStop({ running }: Instance, callback: () => void): () => void {
    if (running === undefined) return () => {};
    const listeners = this.#stopListeners.get(running) ?? new Set();
    this.#stopListeners.set(running, listeners.add(callback));
    return () => void listeners.delete(callback);
  }

  #tellStop(running: RunningGadget): void {
    for (const callback of this.#stopListeners.get(running) ?? []) callback();
    this.#stopListeners.delete(running);
  }

  /**
   * That nobody can command it keeps no gadget from running, unless the socket was asked for.
   * @throws UsageError, KernelError if the socket that was asked for cannot be had.
   */
  async #openSocket(): Promise<void> {
    const { settings: { socket, isSocketChosen }, control } = this.#options;
    if (socket === undefined) return;
    try {
      this.#control = await ControlServer.open(socket, control(this));
    } catch (error) {
      if (isSocketChosen) throw error;
      warnAsIs(`kmeter ps and others cannot be used: ${errorWithHint(error)}`);
    }
  }

  /** A file that was read again may name exporters that a restart would bring. */
  #tellMissing({ name, exporters = new Set() }: PlannedInstance): void {
    const missing = [...exporters].filter((exporter) => !this.exporterNames.includes(exporter));
    if (missing.length > 0) {
      this.#tell(name, `is not pushed by ${missing.join(", ")} before a restart`);
    }
  }

  #tell(name: string, text: string): void {
    this.log.add(name, text);
    warnAsIs(`${name} ${text}`);
  }

  async #startAll({ instances, broken }: ServePlan): Promise<void> {
    const failures = broken.map((instance) => this.#noteBroken(instance));
    for (const instance of instances) {
      const error = await this.#startOne(instance);
      if (error !== undefined) failures.push(error);
    }
    if (failures.length > 0 && failures.length === instances.length + broken.length) {
      throw failures[0];
    }
  }

  /** @returns why it does not run; what ran in its place goes on. */
  #noteBroken({ name, gadgetText: gadget, error }: BrokenInstance): unknown {
    this.#tellFailure({ name, gadget, error });
    return error;
  }

  /** @returns why it does not run; its place is kept, and what ran in its place goes on. */
  async #startOne(planned: PlannedInstance): Promise<unknown> {
    const { name, gadget } = planned;
    try {
      await this.fleet.replace(this.#withOperators(planned));
      this.#planned.set(name, planned);
      this.#tellMissing(planned);
      return undefined;
    } catch (error) {
      this.#tellFailure({ name, gadget: gadget.spec.name, error });
      return error;
    }
  }

  /** Starts a gadget that the file does not say. @throws as {@linkcode Fleet.start}. */
  start(planned: PlannedInstance): Promise<Instance> {
    return this.fleet.start(this.#withOperators(planned));
  }

  #withOperators({ gadget, options, exporters }: PlannedInstance): InstanceRequest {
    const push = this.#push?.operator(exporters);
    const operators = [
      ...options.operators,
      ...this.#threads.operators,
      this.#page,
      ...(push === undefined ? [] : [push]),
    ];
    return { gadget, options: { ...options, operators } };
  }

  #tellFailure(failure: { name: string; gadget: string; error: unknown }): void {
    const { name, error } = failure;
    const runs = this.fleet.instances.some((other) => other.name === name && other.running);
    if (!runs) this.fleet.note(failure);
    this.#tell(name, `${runs ? "stays as it was" : "does not run"}: ${errorWithHint(error)}`);
  }

  #look(): void {
    if (stampOf(this.#options.file) !== this.#stamp) void this.#reload();
  }

  #reload(): Promise<void> {
    return this.#reloading = this.#reloading.then(() => this.#apply());
  }

  /** Makes what runs what the file says. A file with mistakes changes nothing. */
  async #apply(): Promise<void> {
    const { file, read } = this.#options;
    // Whatever comes of it: the same mistakes are not told again and again.
    this.#stamp = stampOf(file);
    let plan: ServePlan;
    try {
      const again = read();
      plan = again.plan;
      const shared = [...again.settingTexts].filter(([key, text]) =>
        this.#first.settingTexts.get(key) !== text
      ).map(([key]) => key);
      if (shared.length > 0) {
        warn(`${file} changes what all gadgets share (${shared.join(", ")}): that needs a restart`);
      }
    } catch (error) {
      warnAsIs(`all goes on as it was: ${errorWithHint(error)}`);
      return;
    }
    const before = this.#planned;
    const names = namesOf(plan);
    const gone = [...this.#names].filter((name) => !names.has(name));
    this.#names = names;
    for (const name of gone) await this.#stopOne(name);
    const isRunning = (name: string) =>
      this.fleet.instances.some((instance) => instance.name === name && instance.running);
    const changed = plan.instances.filter((instance) => {
      const old = before.get(instance.name);
      return old === undefined || !isSamePlan(old, instance) || !isRunning(instance.name);
    });
    for (const instance of plan.broken) this.#noteBroken(instance);
    let [started, restarted, failed] = [0, 0, plan.broken.length];
    for (const instance of changed) {
      const ran = isRunning(instance.name);
      if (await this.#startOne(instance) !== undefined) failed++;
      else if (ran) restarted++;
      else started++;
    }
    writeNotice(
      `${file} read again: ${started} started, ` +
        (restarted === 0 ? "" : `${restarted} restarted, `) +
        `${gone.length} stopped, ${plan.instances.length - changed.length} as before` +
        (failed === 0 ? "" : `, ${failed} failed`),
    );
  }

  async #stopOne(name: string): Promise<void> {
    this.#planned.delete(name);
    try {
      await this.fleet.stop(name);
    } catch (error) {
      this.#tell(name, `did not end well: ${errorWithHint(error)}`);
    }
  }

  /** Stops all, gadgets first: the last scrape may still come. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#listensToHangup) Deno.removeSignalListener("SIGHUP", this.#onHangup);
    await this.#control?.close();
    await this.#reloading;
    try {
      await this.fleet.close();
      await this.#push?.finish();
    } finally {
      this.#push?.close();
      await this.#threads.close();
      await this.#endpoint.close();
    }
  }
}

function namesOf({ instances, broken }: ServePlan): ReadonlySet<string> {
  return new Set([...instances, ...broken].map(({ name }) => name));
}

/** Takes the warnings of gadgets: to the terminal, and into the log. */
export function instanceWarn(
  log: InstanceLog,
): (name: string, text: string, hint?: string) => void {
  return (name, text, hint) => {
    log.add(name, warningText(text, hint));
    warn(`${name}: ${text}`, hint);
  };
}
