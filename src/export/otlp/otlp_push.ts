/** Pushes metrics to OTLP collectors, seen from the main thread: it reads, another thread does the rest. */

import { UsageError } from "../../errors.ts";
import type { MetricSet } from "../../metrics/mod.ts";
import type { ExporterOptions } from "./exporter_options.ts";
import type { ExporterCounts, OtlpOrder, OtlpReport, OwnMetricValues } from "./messages.ts";
import type { ResourceAttributes } from "./resource.ts";
import { SetReader } from "./set_reader.ts";

/** How long the last push may take, outages included. */
export const PUSH_AT_END_MS = 5000;

/** Parts of an {@linkcode OtlpPush}. */
export interface OtlpPushOptions {
  readonly exporters: readonly ExporterOptions[];
  readonly resource: ResourceAttributes;
  /** kmeter's, the version of the scope of its own metrics. */
  readonly version: string;
  /** Put before the names of the sets' metrics, with a dot. */
  readonly prefix?: string;
  readonly warn: (text: string) => void;
}

/** What is pushed as long as it is there. */
export interface PushSource {
  readonly sets: readonly MetricSet[];
  /** When all values were zero, in ms since the epoch. */
  readonly startMs: number;
  /** Brings the sets up to date. It tells failures itself. */
  readonly refresh: () => Promise<void>;
  /** Names of the exporters that push it; absent for all. */
  readonly exporters?: ReadonlySet<string>;
}

/** What an exporter has done, for kmeter's own metrics. */
export interface ExporterStats extends ExporterCounts {
  readonly exporter: string;
  /** Times at which nothing was pushed, because enough waited to be sent. */
  readonly skipped: number;
}

/** A source, and who reads it. */
interface Member {
  readonly source: PushSource;
  /** Number of its first set; the others follow. */
  readonly firstSet: number;
  readers: readonly SetReader[];
  isLeaving: boolean;
  /** Is pushed once this one has left. */
  successor?: PushSource;
}

interface Exporter {
  readonly index: number;
  readonly options: ExporterOptions;
  counts: ExporterCounts;
  skipped: number;
  /** Time of the last push. */
  lastMs: number;
  /** A push that is being read or taken. */
  underWay: Promise<void> | undefined;
  taken: PromiseWithResolvers<void> | undefined;
  timer?: ReturnType<typeof setInterval>;
}

/** What one push tells. */
interface Content {
  readonly members: readonly Member[];
  readonly own?: () => Promise<readonly OwnMetricValues[]>;
  /** True if these members are pushed for the last time. */
  readonly isLast?: boolean;
}

const NO_COUNTS: ExporterCounts = {
  sent: 0,
  refused: 0,
  unsent: 0,
  queued: 0,
  failures: {},
  isFull: false,
};

const NOTHING = { env: false, ffi: false, read: false, run: false, sys: false, write: false };

/**
 * Exporters at work. A push reads all series once; the thread makes requests of it, which wait in a queue
 * until a collector has taken them. While enough wait, nothing is pushed: the next push covers that time.
 *
 * Ownership: `close()` ends the thread.
 */
export class OtlpPush {
  readonly #worker: Worker;
  readonly #warn: (text: string) => void;
  readonly #exporters: readonly Exporter[];
  readonly #ready = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  readonly #members = new Map<PushSource, Member>();
  #setCount = 0;
  /** kmeter's own metrics; absent before it begins. */
  #own: (() => Promise<readonly OwnMetricValues[]>) | undefined;
  /** Pushes are read one after the other: labels are handed on once, in order. */
  #reading: Promise<void> = Promise.resolve();
  #hasFailed = false;

  /** Starts the thread. Throws: UsageError if a certificate or key cannot be used. */
  static async open(options: OtlpPushOptions): Promise<OtlpPush> {
    const push = new OtlpPush(options);
    try {
      await push.#ready.promise;
      return push;
    } catch (error) {
      push.close();
      throw error;
    }
  }

  private constructor({ exporters, resource, version, prefix, warn }: OtlpPushOptions) {
    this.#warn = warn;
    const startMs = Date.now();
    this.#exporters = exporters.map((options, index) => ({
      index,
      options,
      counts: NO_COUNTS,
      skipped: 0,
      lastMs: startMs,
      underWay: undefined,
      taken: undefined,
    }));
    this.#worker = new Worker(new URL("./_otlp_worker.ts", import.meta.url), {
      type: "module",
      // Its own for good, whatever the main thread gives back: its collectors, and nothing else.
      deno: { permissions: { ...NOTHING, net: exporters.map(({ url }) => hostOf(url)) } },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<OtlpReport>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
    this.#order({ kind: "configure", exporters, resource, version, prefix, startMs });
  }

  #order(order: OtlpOrder, transfer: Transferable[] = []): void {
    this.#worker.postMessage(order, transfer);
  }

  #take(report: OtlpReport): void {
    switch (report.kind) {
      case "ready":
        return this.#ready.resolve();
      case "taken":
        return this.#exporters[report.exporter].taken?.resolve();
      case "counts":
        this.#exporters[report.exporter].counts = report.counts;
        return;
      case "warning":
        return this.#warn(report.text);
      case "failed":
        return this.#fail(report.message);
      case "finished":
        return this.#finished.resolve();
    }
  }

  /** Metrics go on being counted and served without it. */
  #fail(message: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#ready.reject(
      new UsageError(`Cannot push metrics: ${message}`, {
        hint: "openssl x509 -in FILE -text shows whether a certificate is one",
      }),
    );
    if (this.#own !== undefined) this.#warn(`metrics are no longer pushed: ${message}`);
    for (const { taken } of this.#exporters) taken?.resolve();
    this.#finished.resolve();
  }

  /**
   * Begins: the first push comes after one interval.
   * @param own reads kmeter's own metrics.
   */
  begin(own: () => Promise<readonly OwnMetricValues[]>): void {
    this.#own = own;
    for (const exporter of this.#exporters) {
      exporter.timer = setInterval(() => this.#pushOrSkip(exporter), exporter.options.intervalMs);
    }
  }

  /**
   * Pushes a source too from now on.
   * @param previous what it takes the place of: that is pushed for the last time first.
   */
  add(source: PushSource, previous?: PushSource): void {
    const before = previous && this.#members.get(previous);
    if (before !== undefined) {
      before.successor = source;
      return;
    }
    const member = { source, firstSet: this.#setCount, readers: [], isLeaving: false };
    this.#setCount += source.sets.length;
    this.#members.set(source, member);
    this.#readAnew(member);
    for (const exporter of this.#exportersOf(source)) {
      exporter.lastMs = Math.max(exporter.lastMs, source.startMs);
    }
  }

  /** Pushes a source's sets for the last time. They must be there until it resolves; it never rejects. */
  async remove(source: PushSource): Promise<void> {
    for (const member of this.#members.values()) {
      if (member.successor === source) member.successor = undefined;
    }
    const member = this.#members.get(source);
    if (member === undefined || member.isLeaving) return;
    member.isLeaving = true;
    const content = { members: [member], own: this.#own, isLast: true };
    await Promise.all(
      this.#exportersOf(source).map((exporter) => this.#push(exporter, () => content)),
    );
    this.#order({ kind: "forget", sets: source.sets.map((_, index) => member.firstSet + index) });
    this.#members.delete(source);
    if (member.successor !== undefined) this.add(member.successor);
  }

  #exportersOf({ exporters: names }: PushSource): Exporter[] {
    return this.#exporters.filter(({ options }) => names?.has(options.name) ?? true);
  }

  /** Labels and descriptions are handed on again. */
  #readAnew(member: Member): void {
    const { source: { sets, startMs }, firstSet } = member;
    member.readers = sets.map((set, index) =>
      new SetReader(set, { index: firstSet + index, startMs })
    );
  }

  #pushOrSkip(exporter: Exporter): void {
    if (this.#hasFailed) return;
    if (exporter.underWay !== undefined || exporter.counts.isFull) exporter.skipped++;
    else void this.#pushAll(exporter);
  }

  #pushAll(exporter: Exporter): Promise<void> {
    const all = () => {
      const members = [...this.#members.values()]
        .filter(({ source, isLeaving }) =>
          !isLeaving && this.#exportersOf(source).includes(exporter)
        );
      return { members, own: this.#own };
    };
    const push = this.#push(exporter, all).finally(() => exporter.underWay = undefined);
    exporter.underWay = push;
    return push;
  }

  /**
   * Never rejects.
   * @param contentOf asked when its turn has come.
   */
  #push(exporter: Exporter, contentOf: () => Content): Promise<void> {
    const push = this.#reading.then(async () => {
      const content = contentOf();
      try {
        await this.#readAndSend(exporter, content);
      } catch (error) {
        this.#warn(`exporter ${exporter.options.name}: ${messageOf(error)}`);
        // What they believe to be handed on may not be.
        content.members.forEach((member) => this.#readAnew(member));
      }
    });
    this.#reading = push;
    return push;
  }

  async #readAndSend(
    exporter: Exporter,
    { members, own, isLast = false }: Content,
  ): Promise<void> {
    if (this.#hasFailed) return;
    await Promise.all(members.map(({ source }) => source.refresh()));
    // Two pushes in one millisecond, or a clock that was set back, must not tell one time twice.
    const timeMs = Math.max(Date.now(), exporter.lastMs + 1);
    exporter.lastMs = timeMs;
    const ownMetrics = exporter.options.includesOwnMetrics ? await own?.() ?? [] : [];
    const sets = [];
    for (const { readers } of members) {
      for (const reader of readers) sets.push(await reader.read());
    }
    exporter.taken = Promise.withResolvers();
    const transfer = sets.flatMap(({ series, generations, cells }) =>
      [series, generations, cells].map(({ buffer }) => buffer)
    );
    const push = { exporter: exporter.index, timeMs, sets, own: ownMetrics, isLast };
    this.#order({ kind: "push", push }, transfer);
    await exporter.taken.promise;
  }

  get stats(): ExporterStats[] {
    return this.#exporters.map(({ options, counts, skipped }) => ({
      ...counts,
      exporter: options.name,
      skipped,
    }));
  }

  /**
   * Pushes for the last time what was not removed, and waits until all is sent, or for so long. Its sets must
   * still be there; no events come any more.
   */
  async finish(withinMs: number = PUSH_AT_END_MS): Promise<void> {
    for (const { timer } of this.#exporters) clearInterval(timer);
    if (this.#own === undefined || this.#hasFailed) return;
    await Promise.all(this.#exporters.map(async (exporter) => {
      await exporter.underWay;
      if (this.#members.size > 0) await this.#pushAll(exporter);
    }));
    this.#order({ kind: "finish", withinMs });
    await this.#finished.promise;
  }

  /** Ends the thread; what is not sent is lost. Idempotent. */
  close(): void {
    for (const { timer } of this.#exporters) clearInterval(timer);
    this.#hasFailed = true;
    this.#worker.terminate();
  }
}

/** Host and port, as permissions name them. */
function hostOf(url: string): string {
  const { host, port, protocol } = new URL(url);
  return port !== "" ? host : `${host}:${protocol === "https:" ? 443 : 80}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
