/** What the caller of a run decides. */

import type { Field, FieldFormatter } from "../decode/mod.ts";
import type { SeriesBudgetHandle } from "../metrics/mod.ts";
import type { Operator, ReadSchedule } from "../operators/mod.ts";

/** Text of fields with a format, for one data source. */
export type Formatters = ReadonlyMap<Field, FieldFormatter>;

/** How often a map or iterator is read. */
export type FetchSchedule = ReadSchedule;

/** Options of one run. */
export interface RunOptions {
  /** What the gadget is called in metrics and messages; several runs of one gadget differ in it. */
  readonly name: string;
  /** Who takes part: what is shown, counted and exported is up to them. */
  readonly operators: readonly Operator[];
  /** Flags of operators, as text, by name. */
  readonly operatorParams: ReadonlyMap<string, string>;
  /** Gadget parameters by flag name, as text. */
  readonly params: ReadonlyMap<string, string>;
  /** Scope of a data source's metrics, from `--otel-metrics-name`. */
  readonly scopes: ReadonlyMap<string, string>;
  /** Schedule of a data source from the command line; undefined for the gadget's own. */
  readonly schedule: (dataSource: string) => Partial<FetchSchedule>;
  /** Places for the series of all data sources together. */
  readonly seriesBudget: SeriesBudgetHandle;
  /** Whether others may come to take rows while it runs: `RunningGadget.attach`. */
  readonly isAttachable?: boolean;
  /** A program that cannot load or attach is an error, even if the others can do without it. */
  readonly strict: boolean;
  /** Kernel BTF file instead of the running kernel's. */
  readonly btfFile?: string;
  /** Takes the source text of generated code, for `--dump-code`. */
  readonly dumpCode?: (dataSource: string, source: string) => void;
  /** Takes warnings: one sentence, perhaps with indented lines that tell more, and what to do. */
  readonly warn: (text: string, hint?: string) => void;
}
