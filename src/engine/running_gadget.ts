/** One gadget at work: loads, attaches, pumps and stops. The only place that composes the layers. */

import {
  type Account,
  type BpfMap,
  type BpfObject,
  enableProgramStats,
  EPERM,
  type ProgramStats as KernelProgramStats,
  readBootTimeMs,
  readProgramStats,
} from "../../ffi/mod.ts";
import {
  KallsymsFile,
  KERNEL_STACK_MAP,
  kernelStackReader,
  type StackMapHandle,
} from "../enrich/mod.ts";
import { KernelError, UnsupportedError } from "../errors.ts";
import type { DataSourceStats, OwnMetricsSnapshot, ProgramStats } from "../export/mod.ts";
import type { GadgetSpec } from "../gadget/mod.ts";
import { type MetricSet, SeriesBudget } from "../metrics/mod.ts";
import { type Operator, PlannedGadget } from "../operators/mod.ts";
import { accountForRefusals } from "./account_for_refusals.ts";
import { type AttachedProgram, attachPrograms } from "./attach_programs.ts";
import { CountedTracer } from "./counted_tracer.ts";
import { createRunner, scheduleOf } from "./create_runner.ts";
import { EventPump } from "./event_pump.ts";
import { IngestThread } from "./ingest_thread.ts";
import { loadObject } from "./load_object.ts";
import { LossWatch } from "./loss_watch.ts";
import { MetricsReadings, setsOf } from "./metrics_readings.ts";
import type { ParsedGadget } from "./parse_gadget.ts";
import { leaveRoot } from "./privileges.ts";
import { reasonOf, type Refusal } from "./refusal.ts";
import type { RunOptions } from "./run_options.ts";
import type { Runner, Subscription } from "./runner.ts";
import { TracerRunner } from "./tracer_runner.ts";

/** A running gadget. Ownership: `stop()` detaches everything. */
export class RunningGadget {
  readonly spec: GadgetSpec;
  readonly #gadget: ParsedGadget;
  readonly #options: RunOptions;
  #object: BpfObject | undefined;
  readonly #attached: AttachedProgram[] = [];
  /** Programs that the gadget does without. */
  #refusals: Refusal[] = [];
  /** Data sources that nothing feeds without these programs. */
  #emptySources: ReadonlySet<string> = new Set();
  readonly #runners: Runner[] = [];
  /** Failed reads of maps and iterators, by data source. */
  readonly #fetchErrors = new Map<string, number>();
  #programStats: Disposable | undefined;
  /** There is none without a map of kernel stacks. */
  #kallsyms: KallsymsFile | undefined;
  /** Counts events; there is none if no events are counted. */
  #thread: IngestThread | undefined;
  /** Whether it had counted all when it was asked last. */
  #isCaughtUp = true;
  #lossWatch: LossWatch | undefined;
  /** Shows events. */
  #pump: EventPump | undefined;
  #readings: readonly MetricsReadings[] = [];
  /** What operators want. */
  #plan: PlannedGadget | undefined;
  #stackMap: StackMapHandle | undefined;
  #kernelStack: ((id: number) => string) | undefined;
  #stopped: Promise<void> | undefined;

  /**
   * Asks the operators, loads the object, prepares the readers, attaches the programs.
   * @throws whatever stands in the way; nothing is left loaded then.
   */
  static async start(gadget: ParsedGadget, options: RunOptions): Promise<RunningGadget> {
    const running = new RunningGadget(gadget, options);
    try {
      await running.#start();
      return running;
    } catch (error) {
      await running.#abandon();
      throw error;
    }
  }

  private constructor(gadget: ParsedGadget, options: RunOptions) {
    this.spec = gadget.spec;
    this.#gadget = gadget;
    this.#options = options;
  }

  async #start(): Promise<void> {
    const { dataSources } = this.spec;
    const plan = await this.#ask(this.#options.operators);
    this.#plan = plan;
    const counts = plan.dataSources.some(({ kind, isCollected }) =>
      kind === "tracer" && isCollected
    );
    // First, so that it is ready when the kernel is.
    if (counts) this.#thread = new IngestThread();
    const { object, refusals } = loadObject(this.#gadget, this.#options);
    this.#object = object;
    this.#refusals = refusals;
    const iterators = dataSources.some(({ origin }) => origin.kind === "iter");
    // Iterators run only when read, so attaching them first loses nothing.
    if (iterators) this.#attach(object);
    const maps = new Map(object.maps().map((map) => [map.name, map]));
    this.#createRunners(plan, maps);
    await this.#startReading();
    await plan.preStart();
    if (!iterators) this.#attach(object);
    const counted = this.#runners.filter(({ collector }) => collector !== undefined);
    this.#programStats = counted.length > 0 ? enableProgramStats() : undefined;
    this.#readings = this.#startReadings(plan);
    if (counted.length > 0) this.#lossWatch = new LossWatch(counted, this.#options.warn);
  }

  #ask(operators: readonly Operator[], late?: PlannedGadget): Promise<PlannedGadget> {
    return PlannedGadget.of(operators, {
      name: this.#options.name,
      spec: this.spec,
      params: this.#options.operatorParams,
      schedule: (source) => scheduleOf(source, this.#options),
      host: {
        stackMap: () => this.#stackMap,
        kernelStack: (id) => this.#kernelStack?.(id) ?? String(id),
        stats: () => this.snapshot(),
        refresh: () => this.refresh(),
        sets: () => this.metricSets,
        setOf: (dataSource) => this.#metricSetOf(dataSource),
      },
      known: (name) => late?.dataSources.find((source) => source.name === name),
      warn: this.#options.warn,
    });
  }

  #createRunners(plan: PlannedGadget, maps: ReadonlyMap<string, BpfMap>): void {
    const stackMap = maps.get(KERNEL_STACK_MAP);
    if (stackMap !== undefined) {
      this.#kallsyms = new KallsymsFile();
      this.#stackMap = { fd: stackMap.fd, valueSizeBytes: stackMap.valueSizeBytes };
      this.#kernelStack = kernelStackReader(this.#stackMap, this.#kallsyms);
    }
    for (const source of plan.dataSources) {
      const runner = createRunner(source, {
        maps,
        programs: this.#attached,
        options: this.#options,
        gadget: this.#options.name,
        onError: (error) => this.#reportFetchError(source.name, error),
      });
      if (runner !== undefined) this.#runners.push(runner);
    }
  }

  /** Before the programs are attached: the first event finds somebody listening. */
  async #startReading(): Promise<void> {
    const counted = this.#runners.filter((runner) => runner instanceof CountedTracer);
    const shown = this.#runners.filter((runner) => runner instanceof TracerRunner)
      .concat(counted.flatMap(({ shown }) => shown ?? []));
    if (shown.length > 0) this.#pump = new EventPump(shown);
    const sources = counted.map(({ source }) => source);
    const fds = counted.flatMap(({ fds }) => fds);
    await this.#thread?.run({ sources, stackMap: this.#stackMap }, fds);
  }

  #attach(object: BpfObject): void {
    const attached = this.#attached;
    const refusals = this.#refusals;
    const { strict, warn } = this.#options;
    attachPrograms(object, { gadget: this.#gadget, attached, refusals, strict });
    if (refusals.length === 0) return;
    const shortfall = accountForRefusals(this.spec, { object, attached, refusals });
    this.#emptySources = shortfall.emptySources;
    for (const { text, hint } of shortfall.warnings) warn(text, hint);
  }

  /** Data sources that nothing feeds have nothing to read. */
  #startReadings(plan: PlannedGadget): MetricsReadings[] {
    const fed = this.#runners.filter(({ collector, spec }) =>
      collector !== undefined && !this.#emptySources.has(spec.name)
    );
    const onError = (dataSource: string, error: unknown) =>
      this.#reportFetchError(dataSource, error);
    return plan.metricsWishes.flatMap((wish) => {
      const { dataSources } = wish.schedule;
      const runners = fed.filter(({ spec }) => dataSources?.includes(spec.name) ?? true);
      return runners.length === 0 ? [] : [new MetricsReadings(wish, { runners, onError })];
    });
  }

  /**
   * All is ready: operators take the gadget into their hands. Call it once.
   * @param instead the gadget that this one takes the place of.
   * @throws what an operator has against it; then stop this one, and let the other run on.
   */
  async begin(instead?: RunningGadget): Promise<void> {
    await this.#plan?.start(instead && instead.#plan);
  }

  /**
   * One more operator takes rows and metrics from now on. The gadget must be attachable.
   * @throws what the operator has against it, such as a UsageError for unknown fields.
   */
  async attach(operator: Operator): Promise<Subscription> {
    const late = await this.#ask([operator], this.#plan);
    const subscriptions = late.dataSources.flatMap(({ spec, subscribers }) => {
      const runner = this.#runners.find((candidate) => candidate.spec === spec);
      return subscribers.flatMap((subscriber) => runner?.subscribe?.(subscriber) ?? []);
    });
    const readings = this.#startReadings(late);
    const ends = [...subscriptions, ...readings].map(({ finished }) => finished);
    return {
      finished: Promise.all(ends).then(() => {}),
      stop: () => {
        for (const reading of readings) void reading.stop();
        for (const subscription of subscriptions) subscription.stop();
      },
    };
  }

  /**
   * Makes this process another user's for good. All that runs goes on: descriptors stay open.
   * @throws KernelError, UnsupportedError if this kernel lets nobody else read maps; then nothing but `stop` is of use.
   */
  leaveRoot(account: Account): void {
    leaveRoot(account);
    const [first] = this.#attached;
    if (first === undefined) return;
    try {
      readProgramStats(first.program.fd);
    } catch (cause) {
      if (!(cause instanceof KernelError) || cause.errno !== EPERM) throw cause;
      throw new UnsupportedError("Cannot read maps without CAP_BPF on this kernel", {
        feature: "bpf(2) by descriptor without capabilities",
        hint: "kernels from 5.19 on allow it; leave --user out",
        cause,
      });
    }
  }

  /** Metrics of all data sources that are collected and fed. */
  get metricSets(): readonly MetricSet[] {
    return setsOf(this.#runners.filter(({ spec }) => !this.#emptySources.has(spec.name)));
  }

  /** Metrics of one data source; undefined if it is not collected, or not fed. */
  #metricSetOf(dataSource: string): MetricSet | undefined {
    if (this.#emptySources.has(dataSource)) return undefined;
    return this.#runners.find(({ spec }) => spec.name === dataSource)?.collector?.set;
  }

  /** Attached programs, for tests and `runProgram`. */
  get programs(): readonly AttachedProgram[] {
    return this.#attached;
  }

  /**
   * Resolves when every data source has come to its end; rejects when events cannot be read.
   * Stays open while there are events to come.
   */
  async finished(): Promise<void> {
    const ends = Promise.all(this.#runners.map((runner) => {
      const readings = this.#readings.find((candidate) => candidate.ends(runner));
      return (readings ?? runner).finished;
    }));
    const failures = [this.#pump?.done, this.#thread?.failed].filter((end) => end !== undefined);
    await Promise.race([ends, ...failures]);
  }

  /** Brings all metrics up to date. @returns what could not be read, by data source. */
  async refresh(): Promise<Map<string, unknown>> {
    const failures = new Map<string, unknown>();
    await this.#catchUp();
    await Promise.all(this.#runners.map(async (runner) => {
      if (runner.collector === undefined) return;
      const { memory, plan } = runner.collector;
      try {
        await runner.refresh();
      } catch (error) {
        failures.set(runner.spec.name, error);
        this.#countFetchError(runner.spec.name);
      }
      if (plan.ttlMs > 0) memory.hiddenBeforeMs = readBootTimeMs() - plan.ttlMs;
    }));
    return failures;
  }

  async #catchUp(): Promise<void> {
    if (this.#thread === undefined) return;
    this.#isCaughtUp = await this.#thread.catchUp();
    if (this.#isCaughtUp) return;
    this.#options.warn("events wait to be counted for over a second: the numbers are old");
  }

  #reportFetchError(dataSource: string, error: unknown): void {
    this.#countFetchError(dataSource);
    this.#options.warn(`data source ${dataSource}: ${messageOf(error)}`);
  }

  #countFetchError(dataSource: string): void {
    this.#fetchErrors.set(dataSource, (this.#fetchErrors.get(dataSource) ?? 0) + 1);
  }

  /** What kmeter tells about this gadget in its own metrics. */
  snapshot(): OwnMetricsSnapshot {
    const { taken, limit } = new SeriesBudget(this.#options.seriesBudget);
    return {
      gadgets: [{ gadget: this.#options.name, isUp: true }],
      seriesPlaces: { taken, limit },
      dataSources: this.#runners.map((runner) => this.#dataSourceStats(runner)),
      programs: [
        ...this.#attached.map((attached) => this.#programStatsOf(attached)),
        ...this.#refusals.map((refusal) => this.#refusedStats(refusal)),
      ],
      consumers: this.#thread === undefined
        ? []
        : [{ gadget: this.#options.name, isUp: this.#isCaughtUp }],
    };
  }

  #dataSourceStats(runner: Runner): DataSourceStats {
    const memory = runner.collector?.memory;
    const map = runner.mapStats?.();
    return {
      gadget: this.#options.name,
      dataSource: runner.spec.name,
      eventsReceived: runner.received,
      eventsLost: { ...runner.lost?.() },
      decodeErrors: memory === undefined ? {} : {
        short_record: memory.stats.shortRecords,
        negative_counter: memory.stats.negativeCounters,
        not_a_number: memory.stats.notANumber,
      },
      series: memory?.liveCount ?? 0,
      ...(runner.collector && { seriesLimit: runner.collector.plan.seriesLimit }),
      seriesOverflow: memory?.stats.overflowed ?? 0,
      labelsTruncated: memory?.stats.truncatedLabels ?? 0,
      ...(map && { map: { ...map, fetchErrors: this.#fetchErrors.get(runner.spec.name) ?? 0 } }),
    };
  }

  #programStatsOf({ program }: AttachedProgram): ProgramStats {
    const base = {
      gadget: this.#options.name,
      program: program.name,
      section: program.section,
      isAttached: true,
      reason: "",
    };
    const stats: KernelProgramStats | undefined = this.#programStats &&
      readProgramStats(program.fd);
    if (stats === undefined) return base;
    return {
      ...base,
      runTimeSeconds: Number(stats.runTimeNs) / 1e9,
      runCount: Number(stats.runCount),
    };
  }

  #refusedStats({ program, section, error }: Refusal): ProgramStats {
    const reason = reasonOf(error);
    return { gadget: this.#options.name, program, section, isAttached: false, reason };
  }

  /** Detaches, takes what is left, lets the operators end, frees everything. Idempotent. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#detach();
    try {
      await this.#stopReading();
      // What fails here fails again when it is closed, and is told then.
      await Promise.allSettled(this.#runners.map((runner) => runner.end?.()));
      for (const readings of this.#readings) await readings.readLast();
    } finally {
      // Also if not all could be counted: what was is handed on. It throws nothing.
      await this.#plan?.stop();
      try {
        this.#lossWatch?.stop();
      } finally {
        // A thread that is stuck may read its buffers: they go with the process.
        if (this.#thread?.isStuck !== true) await this.#closeAll();
      }
    }
  }

  /** Ends all that reads, whichever of it fails: what is read is freed next. */
  async #stopReading(): Promise<void> {
    try {
      await Promise.all(this.#readings.map((readings) => readings.stop()));
    } finally {
      try {
        await this.#thread?.stop();
      } finally {
        await this.#pump?.stop();
      }
    }
  }

  /** Programs end first: what they have sent by then is still read. Iterators are needed to the end. */
  #detach(): void {
    for (const { program, links } of this.#attached) {
      if (program.section.startsWith("iter")) continue;
      for (const link of links) link.close();
    }
  }

  async #closeAll(): Promise<void> {
    for (const runner of this.#runners.splice(0)) {
      try {
        await runner.close();
      } catch (error) {
        this.#options.warn(`data source ${runner.spec.name}: ${messageOf(error)}`);
      } finally {
        runner.collector?.memory.giveBackPlaces();
      }
    }
    this.#freeObject();
  }

  /** For a start that failed: that is the error to tell, whatever fails now. */
  async #abandon(): Promise<void> {
    await Promise.allSettled([this.#thread?.stop(), this.#pump?.stop()]);
    await this.#plan?.stop();
    // A thread that is stuck may read its buffers: they go with the process.
    if (this.#thread?.isStuck === true) return;
    const runners = this.#runners.splice(0);
    await Promise.allSettled(runners.map((runner) => runner.abandon()));
    for (const { collector } of runners) collector?.memory.giveBackPlaces();
    this.#freeObject();
  }

  #freeObject(): void {
    for (const { links } of this.#attached.splice(0)) for (const link of links) link.close();
    this.#programStats?.[Symbol.dispose]();
    this.#kallsyms?.[Symbol.dispose]();
    this.#object?.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
