/** What the main thread and the thread of an operator tell each other. */

import type { StackMapHandle } from "../enrich/mod.ts";
import type { GadgetSpec } from "../gadget/mod.ts";
import type { MetricSnapshot } from "./metric_snapshot.ts";
import type { MetricsSchedule, OperatorParam } from "./operator.ts";
import type { RecordCopies } from "./record_copies.ts";

/** What an operator is made of. */
export type OperatorSource =
  /** URL of a module whose default export is the operator. */
  | { readonly kind: "module"; readonly url: string }
  /** For a shell: a program that reads JSON lines. */
  | { readonly kind: "exec"; readonly command: string };

/** A step of the lifecycle of one gadget. */
export type Step = "preStart" | "start" | "stop";

/** Messages to the thread. It obeys one after the other. Gadgets are numbered. */
export type OperatorOrder =
  | { readonly kind: "load"; readonly source: OperatorSource; readonly libbpf?: string }
  | {
    readonly kind: "instantiate";
    readonly gadget: number;
    readonly name: string;
    readonly spec: GadgetSpec;
    /** The operator's own, as they were given. */
    readonly params: ReadonlyMap<string, string>;
  }
  | {
    readonly kind: "step";
    readonly gadget: number;
    readonly step: Step;
    /** Of the gadget, from `preStart` on. */
    readonly stackMap?: StackMapHandle;
    readonly previous?: number;
  }
  | {
    readonly kind: "rows";
    readonly gadget: number;
    readonly dataSource: string;
    readonly records: RecordCopies;
  }
  | {
    readonly kind: "metrics";
    readonly gadget: number;
    /** Which of the gadget's subscriptions. */
    readonly wish: number;
    readonly snapshot: MetricSnapshot[];
  }
  | { readonly kind: "close" };

/** What the operator wants of a gadget. */
export interface Wishes {
  /** Names of data sources whose rows it takes. */
  readonly rows: readonly string[];
  readonly metrics: readonly MetricsSchedule[];
}

/** Messages from the thread. */
export type OperatorReply =
  | {
    readonly kind: "loaded";
    readonly name: string;
    readonly priority: number;
    readonly params: readonly OperatorParam[];
    /** Of its program, if it has one. */
    readonly processGroup?: number;
  }
  /** Answers an order that has `gadget`, or `close`. */
  | { readonly kind: "done"; readonly wishes?: Wishes }
  /** The operator objects to a gadget. */
  | { readonly kind: "refused"; readonly message: string; readonly hint?: string }
  /** Rows or metrics are taken. */
  | { readonly kind: "taken" }
  | {
    readonly kind: "warning";
    readonly gadget: number;
    readonly text: string;
    readonly hint?: string;
  }
  /** It cannot go on. */
  | { readonly kind: "failed"; readonly message: string };
