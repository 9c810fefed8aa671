/** Gadgets that run beside each other in one process, each by its name: none of them stops another. */

import { UsageError } from "../errors.ts";
import type { ParsedGadget } from "./parse_gadget.ts";
import type { RunOptions } from "./run_options.ts";
import { RunningGadget } from "./running_gadget.ts";

/** A gadget that is to run. */
export interface InstanceRequest {
  readonly gadget: ParsedGadget;
  readonly options: RunOptions;
}

/** One gadget of a fleet. */
export interface Instance {
  /** Counts from 1 and is never given twice. */
  readonly id: number;
  /** Unique among those there are. */
  readonly name: string;
  /** What it is an instance of. */
  readonly gadget: string;
  /** In ms since the Unix epoch. */
  readonly startedMs: number;
  /** Absent if it could not start, or has failed. */
  readonly running?: RunningGadget;
  /** Why it does not run. */
  readonly error?: unknown;
}

/** Who has to know what runs, such as exporters. */
export interface FleetObserver {
  /** Called before a gadget stops, and when another has taken its place. */
  stopping(running: RunningGadget): void;
  /** A gadget that ran can run no longer. */
  failed(instance: Instance, error: unknown): void;
  /** What has ended, or made room for another, did not end well. */
  endedBadly(name: string, error: unknown): void;
}

/** Starts, replaces and stops gadgets. Ownership: `close()` stops all. */
export class Fleet {
  readonly #observer: FleetObserver;
  readonly #instances = new Map<string, Instance>();
  /** Changes wait for each other: two that overlap could both take a name. */
  #queue: Promise<unknown> = Promise.resolve();
  #lastId = 0;

  constructor(observer: FleetObserver) {
    this.#observer = observer;
  }

  /** In the order of their ids. */
  get instances(): readonly Instance[] {
    return [...this.#instances.values()].sort((a, b) => a.id - b.id);
  }

  /** By id or name. @throws UsageError if there is none. */
  find(idOrName: string): Instance {
    const found = this.instances.find(({ id }) => String(id) === idOrName) ??
      this.#instances.get(idOrName);
    if (found !== undefined) return found;
    throw new UsageError(`There is no gadget "${idOrName}" here`, {
      hint: "kmeter ps shows the ids and names of those that run",
    });
  }

  /** @throws UsageError if the name is taken, and whatever stands in the way of a start; then there is no such instance. */
  start({ gadget, options }: InstanceRequest): Promise<Instance> {
    return this.#enqueue(async () => {
      if (this.#instances.get(options.name)?.running !== undefined) {
        throw new UsageError(`There is a gadget "${options.name}" already`, {
          hint: "give the new one another name with --name",
        });
      }
      return await this.#start({ gadget, options });
    });
  }

  /**
   * Starts a gadget in the place of the one that has its name, if there is one. That runs until the new one does.
   * @throws whatever stands in the way of a start; then the old one goes on.
   */
  replace(request: InstanceRequest): Promise<Instance> {
    return this.#enqueue(async () => {
      const old = this.#instances.get(request.options.name)?.running;
      const instance = await this.#start(request, old);
      try {
        await old?.stop();
      } catch (error) {
        this.#observer.endedBadly(instance.name, error);
      }
      return instance;
    });
  }

  /** Keeps a place for a gadget that could not start, so that its failure is seen. */
  note({ gadget, name, error }: { gadget: string; name: string; error: unknown }): Instance {
    const instance = { id: ++this.#lastId, name, gadget, startedMs: Date.now(), error };
    this.#instances.set(name, instance);
    return instance;
  }

  /** Stops a gadget and forgets it. */
  stop(name: string): Promise<void> {
    return this.#enqueue(async () => {
      const instance = this.#instances.get(name);
      if (instance === undefined) return;
      this.#instances.delete(name);
      await this.#end(instance);
    });
  }

  /** Stops all, those included whose start is under way. */
  close(): Promise<void> {
    return this.#enqueue(async () => {
      const instances = [...this.#instances.values()];
      this.#instances.clear();
      const ends = await Promise.allSettled(instances.map((instance) => this.#end(instance)));
      for (const end of ends) if (end.status === "rejected") throw end.reason;
    });
  }

  async #start(
    { gadget, options }: InstanceRequest,
    instead?: RunningGadget,
  ): Promise<Instance> {
    const running = await RunningGadget.start(gadget, options);
    try {
      await running.begin(instead);
    } catch (error) {
      await running.stop();
      throw error;
    }
    if (instead !== undefined) this.#observer.stopping(instead);
    const instance: Instance = {
      id: ++this.#lastId,
      name: options.name,
      gadget: gadget.spec.name,
      startedMs: Date.now(),
      running,
    };
    this.#instances.set(options.name, instance);
    running.finished().catch((error) => this.#fail(instance, error));
    return instance;
  }

  #fail(instance: Instance, error: unknown): void {
    if (this.#instances.get(instance.name) !== instance) return;
    const { running: _, ...rest } = instance;
    this.#instances.set(instance.name, { ...rest, error });
    this.#observer.failed(instance, error);
    this.#end(instance).catch((error) => this.#observer.endedBadly(instance.name, error));
  }

  async #end({ running }: Instance): Promise<void> {
    if (running === undefined) return;
    this.#observer.stopping(running);
    await running.stop();
  }

  #enqueue<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(change);
    this.#queue = result.catch(() => {});
    return result;
  }
}
