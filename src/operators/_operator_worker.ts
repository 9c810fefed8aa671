/** Entry of the thread of an operator that is somebody else's. */

import { useLibbpf } from "../../ffi/mod.ts";
import { KallsymsFile, kernelStackReader, type StackMapHandle } from "../enrich/mod.ts";
import { ENRICH_OPERATOR } from "./enrich_operator.ts";
import { ExecOperator } from "./_exec_operator.ts";
import { loadModule } from "./load_module.ts";
import type { DataSource, Gadget, Operator } from "./operator.ts";
import { PlannedGadget } from "./planned_gadget.ts";
import { lendRecords } from "./record_copies.ts";
import type { OperatorOrder, OperatorReply, OperatorSource } from "./_thread_messages.ts";

/** The part of a worker's global scope that is used: its types are not those of the main thread. */
interface WorkerScope {
  onmessage: (event: MessageEvent<OperatorOrder>) => void;
  postMessage(reply: OperatorReply): void;
}

/** A gadget as this thread knows it. */
interface KnownGadget {
  readonly plan: PlannedGadget;
  readonly stacks: KernelStacks;
}

/** Kernel stacks of a gadget, once it is loaded. Ownership: `using`. */
class KernelStacks implements Disposable {
  #kallsyms: KallsymsFile | undefined;
  #map: StackMapHandle | undefined;
  #read: ((id: number) => string) | undefined;

  get map(): StackMapHandle | undefined {
    return this.#map;
  }

  open(map: StackMapHandle): void {
    this.#map = map;
    this.#kallsyms = new KallsymsFile();
    this.#read = kernelStackReader(map, this.#kallsyms);
  }

  text(id: number): string {
    return this.#read?.(id) ?? String(id);
  }

  [Symbol.dispose](): void {
    this.#kallsyms?.[Symbol.dispose]();
  }
}

const scope = globalThis as unknown as WorkerScope;
const gadgets = new Map<number, KnownGadget>();
let operator: Operator<Gadget> | undefined;
/** Orders are obeyed one after the other. */
let queue: Promise<void> = Promise.resolve();

// Either would end this thread without a word to the main one.
const refuseToEnd = () => {
  throw new Error("an operator cannot end its thread: throw what is wrong");
};
Object.assign(Deno, { exit: refuseToEnd });
Object.assign(globalThis, { close: refuseToEnd });

scope.onmessage = ({ data }) => {
  queue = queue.then(() => obey(data));
};

/** What goes wrong with rows or metrics ends the operator; what it has against a gadget, that gadget's start. */
async function obey(order: OperatorOrder): Promise<void> {
  try {
    scope.postMessage(await answer(order));
  } catch (error) {
    const kind = order.kind === "rows" || order.kind === "metrics" ? "failed" : "refused";
    scope.postMessage({ kind, ...describe(error) });
  }
}

function describe(error: unknown): { message: string; hint?: string } {
  const { message = String(error), hint } = error as { message?: string; hint?: string };
  return { message, ...(typeof hint === "string" && { hint }) };
}

async function answer(order: OperatorOrder): Promise<OperatorReply> {
  switch (order.kind) {
    case "load": {
      if (order.libbpf !== undefined) useLibbpf(order.libbpf);
      operator = await load(order.source);
      const { name, priority, params = [] } = operator;
      const processGroup = operator instanceof ExecOperator ? operator.processGroup : undefined;
      return { kind: "loaded", name, priority, params, processGroup };
    }
    case "instantiate":
      return await instantiate(order);
    case "step":
      await step(order);
      return { kind: "done" };
    case "rows": {
      // A start that is given up may have rows under way.
      const { dataSources } = gadgets.get(order.gadget)?.plan ?? { dataSources: [] };
      for (const { name, spec, subscribers } of dataSources) {
        if (name !== order.dataSource) continue;
        for (const subscriber of subscribers) {
          await subscriber.take(lendRecords(order.records, spec));
        }
      }
      return { kind: "taken" };
    }
    case "metrics": {
      const wish = known(order.gadget).plan.metricsWishes[order.wish];
      await wish.subscriber.take({ sets: [], snapshot: () => order.snapshot });
      return { kind: "taken" };
    }
    case "close":
      await operator?.close?.();
      return { kind: "done" };
  }
}

function load(source: OperatorSource): Promise<Operator<Gadget>> | Operator<Gadget> {
  if (source.kind === "module") return loadModule(source.url);
  return new ExecOperator(source.command, {
    onEnd: (message) => scope.postMessage({ kind: "failed", message }),
  });
}

async function instantiate(
  order: Extract<OperatorOrder, { kind: "instantiate" }>,
): Promise<OperatorReply> {
  const { gadget, name, spec, params } = order;
  const stacks = new KernelStacks();
  const plan = await PlannedGadget.of([ENRICH_OPERATOR, outsider(current())], {
    name,
    spec,
    params,
    schedule: () => ({ intervalMs: 0, count: 0 }),
    host: {
      sets: () => [],
      setOf: () => undefined,
      refresh: () => Promise.resolve(new Map()),
      stats: () => {
        throw new Error("BUG: numbers of the main thread");
      },
      stackMap: () => stacks.map,
      kernelStack: (id) => stacks.text(id),
    },
    warn: (text, hint) => scope.postMessage({ kind: "warning", gadget, text, hint }),
  });
  gadgets.set(gadget, { plan, stacks });
  const rows = plan.dataSources.filter(({ subscribers }) => subscribers.length > 0);
  return {
    kind: "done",
    wishes: {
      rows: rows.map(({ name }) => name),
      metrics: plan.metricsWishes.map(({ schedule }) => schedule),
    },
  };
}

async function step(order: Extract<OperatorOrder, { kind: "step" }>): Promise<void> {
  const { plan, stacks } = known(order.gadget);
  switch (order.step) {
    case "preStart":
      if (order.stackMap !== undefined) stacks.open(order.stackMap);
      return await plan.preStart();
    case "start":
      return await plan.start(
        order.previous === undefined ? undefined : gadgets.get(order.previous)?.plan,
      );
    case "stop": {
      using _ = stacks;
      gadgets.delete(order.gadget);
      return await plan.stop();
    }
  }
}

function current(): Operator<Gadget> {
  if (operator === undefined) throw new Error("BUG: no operator is loaded");
  return operator;
}

function known(gadget: number): KnownGadget {
  const found = gadgets.get(gadget);
  if (found === undefined) throw new Error(`BUG: there is no gadget ${gadget}`);
  return found;
}

/** The operator in the chain of this thread: it sees what crosses threads, and nothing else. */
function outsider(operator: Operator<Gadget>): Operator {
  return {
    name: operator.name,
    priority: operator.priority,
    instantiate: (gadget) => operator.instantiate(visibleGadget(gadget)),
  };
}

function visibleGadget(gadget: Gadget): Gadget {
  return {
    name: gadget.name,
    description: gadget.description,
    dataSources: gadget.dataSources.map(visibleSource),
    metrics: {
      subscribe: (subscriber, schedule) => gadget.metrics.subscribe(subscriber, schedule),
    },
    param: (name) => gadget.param(name),
    warn: (text, hint) => gadget.warn(text, hint),
  };
}

function visibleSource(source: DataSource): DataSource {
  const { name, kind, annotations, fields } = source;
  return {
    name,
    kind,
    annotations,
    fields,
    value: (field, record) => source.value(field, record),
    text: (field, record) => source.text(field, record),
    toObject: (record) => source.toObject(record),
    subscribe: (subscriber) => source.subscribe(subscriber),
  };
}
