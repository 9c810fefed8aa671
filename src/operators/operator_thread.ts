/**
 * An operator of somebody else's, seen from the main thread: it runs in a thread of its own, which can be slow,
 * stuck or dead without anybody waiting for it.
 */

import { chosenLibbpf, killProcessGroup } from "../../ffi/mod.ts";
import type { RecordBytes } from "../decode/mod.ts";
import { UsageError } from "../errors.ts";
import type { OperatorStats } from "../export/mod.ts";
import type {
  LocalDataSource,
  LocalGadget,
  Operator,
  OperatorInstance,
  OperatorParam,
} from "./operator.ts";
import { copyRecords } from "./record_copies.ts";
import type { OperatorOrder, OperatorReply, OperatorSource, Wishes } from "./_thread_messages.ts";

/** Rows that wait to be taken, at most: what comes then is left out, and counted. */
export const MAX_WAITING_BYTES: number = 4 << 20;
/** What a batch costs that waits, beside its rows: 885 bytes were measured. */
const BATCH_BYTES = 1024;
/** How long an operator may take to load, or over a step of a gadget's start. */
export const START_STEP_MS = 10_000;
/** How long it may take over the end of a gadget, or its own. */
export const END_STEP_MS = 3000;

const EXEC = "exec:";

/** Rows, or a reading of metrics, that the thread has yet to take. */
interface Batch {
  /** 0 for a reading. */
  readonly rows: number;
  readonly sizeBytes: number;
  onTaken?(): void;
}

/** An instance that the thread knows by a number. */
interface NumberedInstance extends OperatorInstance {
  readonly number: number;
}

/** Parts of an {@linkcode OperatorThread}. */
export interface OperatorThreadOptions {
  /** How the operator is called in errors, until its name is known. */
  readonly label: string;
  /** Params that it is given for every gadget. */
  readonly params?: ReadonlyMap<string, string>;
  readonly warn: (text: string, hint?: string) => void;
}

/** Where an operator of somebody else's comes from. @throws UsageError for an empty command. */
export function operatorSource(text: string): OperatorSource {
  if (!text.startsWith(EXEC)) return { kind: "module", url: fileUrl(text) };
  const command = text.slice(EXEC.length).trim();
  if (command !== "") return { kind: "exec", command };
  throw new UsageError(`--operator "${text}": there is no command`, {
    hint: 'name a program that reads JSON lines: --operator "exec:jq -c .fields"',
  });
}

function fileUrl(path: string): string {
  const full = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return new URL(`file://${full.split("/").map(encodeURIComponent).join("/")}`).href;
}

/** One operator in its thread. Ownership: `close()` ends it. */
export class OperatorThread implements Operator {
  readonly isExec: boolean;
  readonly #label: string;
  readonly #warn: OperatorThreadOptions["warn"];
  readonly #given: ReadonlyMap<string, string> | undefined;
  readonly #worker: Worker;
  /** Those that have not stopped, by number. */
  readonly #gadgets = new Map<number, LocalGadget>();
  #lastNumber = 0;
  /** Batches that are posted and not taken, in order. */
  readonly #waiting: Batch[] = [];
  #waitingBytes = 0;
  #loaded: Extract<OperatorReply, { kind: "loaded" }> | undefined;
  /** Takes the answer to the order under way. */
  #answer: ((reply: OperatorReply) => void) | undefined;
  /** Orders that are answered wait for each other. */
  #queue: Promise<unknown> = Promise.resolve();
  #failure: string | undefined;
  #isClosed = false;
  #closed: Promise<void> | undefined;
  #rows = 0;
  #lostRows = 0;

  /** Starts the thread and loads the operator. Throws: UsageError if it is none. */
  static async open(
    source: OperatorSource,
    options: OperatorThreadOptions,
  ): Promise<OperatorThread> {
    const thread = new OperatorThread(source, options);
    try {
      await thread.#load(source);
      return thread;
    } catch (error) {
      thread.#worker.terminate();
      throw error;
    }
  }

  private constructor(source: OperatorSource, { label, params, warn }: OperatorThreadOptions) {
    this.isExec = source.kind === "exec";
    this.#label = label;
    this.#given = params;
    this.#warn = warn;
    this.#worker = new Worker(new URL("./_operator_worker.ts", import.meta.url), {
      type: "module",
      // What kmeter may do now, for good: else the thread would lose what the main one gives back.
      deno: { permissions: "inherit" },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<OperatorReply>) => this.#take(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(event.message);
    };
  }

  async #load(source: OperatorSource): Promise<void> {
    const order: OperatorOrder = { kind: "load", source, libbpf: chosenLibbpf() };
    const reply = await this.#ask(order, START_STEP_MS);
    if (reply.kind === "loaded") this.#loaded = reply;
    else this.#refuse(reply);
  }

  /** A program has no name of its own. */
  get name(): string {
    return this.isExec ? this.#label : this.#loaded?.name ?? this.#label;
  }

  get priority(): number {
    return this.#loaded?.priority ?? 0;
  }

  get params(): readonly OperatorParam[] {
    return this.#loaded?.params ?? [];
  }

  get stats(): OperatorStats {
    const { name: operator } = this;
    const isUp = this.#failure === undefined;
    return { operator, isUp, rows: this.#rows, lostRows: this.#lostRows };
  }

  /** One that has failed has nothing to do with gadgets that start later. */
  async instantiate(gadget: LocalGadget): Promise<OperatorInstance | undefined> {
    if (this.#failure !== undefined) return undefined;
    const number = ++this.#lastNumber;
    this.#gadgets.set(number, gadget);
    const given = this.params.flatMap(({ name }): [string, string][] => {
      const text = this.#given?.get(name) ?? gadget.param(name);
      return text === undefined ? [] : [[name, text]];
    });
    const reply = await this.#ask({
      kind: "instantiate",
      gadget: number,
      name: gadget.name,
      spec: {
        name: gadget.name,
        description: gadget.description,
        dataSources: gadget.dataSources.map(({ spec }) => spec),
        params: [],
        programs: {},
      },
      params: new Map(given),
    }, START_STEP_MS);
    if (reply.kind !== "done" || reply.wishes === undefined) {
      this.#gadgets.delete(number);
      if (reply.kind === "failed") return undefined;
      this.#refuse(reply);
    }
    this.#subscribe(gadget, { number, wishes: reply.wishes });
    const instance: NumberedInstance = {
      number,
      preStart: () => this.#step({ gadget: number, step: "preStart", stackMap: gadget.stackMap }),
      start: (previous) =>
        this.#step({
          gadget: number,
          step: "start",
          previous: (previous as NumberedInstance | undefined)?.number,
        }),
      stop: async () => {
        await this.#step({ gadget: number, step: "stop" });
        this.#gadgets.delete(number);
      },
    };
    return instance;
  }

  #subscribe(gadget: LocalGadget, { number, wishes }: { number: number; wishes: Wishes }): void {
    for (const source of gadget.dataSources) {
      if (!wishes.rows.includes(source.name)) continue;
      source.subscribe({ take: (records) => this.#handOn(records, { number, source }) });
    }
    wishes.metrics.forEach((schedule, wish) => {
      // One at a time: the next one says the same and more.
      let waiting = 0;
      gadget.metrics.subscribe({
        isFull: () => this.#failure !== undefined || waiting > 0,
        take: (reading) => {
          if (this.#failure !== undefined) return;
          waiting++;
          this.#deliver(
            { kind: "metrics", gadget: number, wish, snapshot: reading.snapshot() },
            { rows: 0, sizeBytes: 0, onTaken: () => waiting-- },
          );
        },
      }, schedule);
    });
  }

  /** Never waits: what finds no room is left out. */
  #handOn(
    lent: Iterable<RecordBytes>,
    { number, source }: { number: number; source: LocalDataSource },
  ): void {
    const records = [...lent];
    if (this.#failure !== undefined || this.#waitingBytes >= MAX_WAITING_BYTES) {
      this.#lostRows += records.length;
      return;
    }
    const copies = copyRecords(records, source.spec);
    const buffers = [copies.records.buffer, copies.values.buffer];
    const sizeBytes = buffers.reduce((sum, { byteLength }) => sum + byteLength, BATCH_BYTES);
    this.#deliver(
      { kind: "rows", gadget: number, dataSource: source.name, records: copies },
      { rows: copies.count, sizeBytes },
      buffers,
    );
  }

  #deliver(order: OperatorOrder, batch: Batch, buffers: ArrayBuffer[] = []): void {
    this.#waiting.push(batch);
    this.#waitingBytes += batch.sizeBytes;
    this.#worker.postMessage(order, buffers);
  }

  #take(reply: OperatorReply): void {
    // What was on its way when the thread was ended.
    if (this.#failure !== undefined) return;
    switch (reply.kind) {
      case "taken": {
        const batch = this.#waiting.shift();
        if (batch === undefined) throw new Error("BUG: nothing waits to be taken");
        this.#rows += batch.rows;
        this.#waitingBytes -= batch.sizeBytes;
        batch.onTaken?.();
        return;
      }
      case "warning": {
        const text = `operator ${this.name}: ${reply.text}`;
        const gadget = this.#gadgets.get(reply.gadget);
        return gadget === undefined ? this.#warn(text, reply.hint) : gadget.warn(text, reply.hint);
      }
      case "failed":
        return this.#fail(reply.message);
      default:
        this.#answer?.(reply);
    }
  }

  /** Whatever runs goes on without it. */
  #fail(message: string): void {
    if (this.#failure !== undefined || this.#isClosed) return;
    this.#failure = message;
    this.#worker.terminate();
    for (const { rows } of this.#waiting.splice(0)) this.#lostRows += rows;
    this.#waitingBytes = 0;
    // What does not load is an error of its own.
    if (this.#loaded !== undefined) {
      this.#warn(
        `operator ${this.name} has failed: ${message}`,
        "all else goes on without it; kmeter_operator_up tells it too",
      );
    }
    this.#answer?.({ kind: "failed", message });
  }

  /** Gives an order and waits for the answer. One that takes too long is a failure, and told. */
  #ask(order: OperatorOrder, withinMs: number): Promise<OperatorReply> {
    const result = this.#queue.then(() => this.#askNow(order, withinMs));
    this.#queue = result;
    return result;
  }

  async #askNow(order: OperatorOrder, withinMs: number): Promise<OperatorReply> {
    if (this.#isClosed) return { kind: "failed", message: "it has ended" };
    if (this.#failure !== undefined) return { kind: "failed", message: this.#failure };
    const { promise, resolve } = Promise.withResolvers<OperatorReply>();
    this.#answer = resolve;
    this.#worker.postMessage(order);
    const what = order.kind === "step" ? order.step : order.kind;
    const timer = setTimeout(() => {
      const group = this.#loaded?.processGroup;
      if (group !== undefined) killProcessGroup(group);
      this.#fail(`its ${what} has not ended in ${withinMs / 1000} s`);
    }, withinMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#answer = undefined;
    }
  }

  /** What it throws is about the gadget. */
  async #step(step: Omit<Extract<OperatorOrder, { kind: "step" }>, "kind">): Promise<void> {
    const withinMs = step.step === "stop" ? END_STEP_MS : START_STEP_MS;
    const reply = await this.#ask({ kind: "step", ...step }, withinMs);
    if (reply.kind === "refused") this.#refuse(reply);
  }

  #refuse(reply: OperatorReply): never {
    const message = "message" in reply ? reply.message : "it gave no answer";
    throw new UsageError(`operator ${this.name}: ${message}`, {
      hint: ("hint" in reply ? reply.hint : undefined) ??
        "docs/operators.md tells what an operator must be",
    });
  }

  /** Lets the operator end. Idempotent. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const reply = await this.#ask({ kind: "close" }, END_STEP_MS);
    this.#isClosed = true;
    this.#worker.terminate();
    if (reply.kind !== "refused") return;
    this.#warn(`operator ${this.name} did not end well: ${reply.message}`);
  }
}
