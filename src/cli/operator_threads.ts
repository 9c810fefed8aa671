/** `--operator`: operators of others. */

import { UsageError } from "../errors.ts";
import type { OperatorStats } from "../export/mod.ts";
import { operatorSource, OperatorThread } from "../operators/mod.ts";
import { suggestName } from "../gadget/mod.ts";
import type { Flag } from "./flags.ts";

/** Its value is a file, or a command behind `exec:`. */
export const OPERATOR_FLAG: Flag = {
  name: "operator",
  value: "FILE|exec:COMMAND",
  repeats: true,
  description: "let a module, or a program that reads JSON lines, take part; adds up",
};

/** An operator as somebody has named it. */
export interface NamedOperator {
  /** As a value of the flag. */
  readonly text: string;
  /** What its params are, and where that stands; absent if flags say it. */
  readonly params?: ReadonlyMap<string, { readonly text: string; readonly place: string }>;
}

/** Operators in their threads. Ownership: `close()` ends them. */
export class OperatorThreads {
  readonly #threads: OperatorThread[] = [];

  /**
   * Starts them: they keep the permissions that the process has now.
   * @throws UsageError for what is no operator, and for params that it does not have.
   */
  static async open(
    entries: readonly NamedOperator[],
    { warn }: { readonly warn: (text: string, hint?: string) => void },
  ): Promise<OperatorThreads> {
    const all = new OperatorThreads();
    try {
      for (const { text, params = new Map() } of entries) {
        const source = operatorSource(text);
        // One that is a program has no name of its own.
        const others = all.#threads.filter(({ isExec }) => isExec).length;
        const label = source.kind === "module"
          ? text
          : others === 0
          ? "exec"
          : `exec-${others + 1}`;
        const given = new Map([...params].map(([name, { text }]) => [name, text]));
        const thread = await OperatorThread.open(source, { label, params: given, warn });
        all.#add(thread);
        refuseUnknownParams(thread, params);
      }
    } catch (error) {
      await all.close();
      throw error;
    }
    return all;
  }

  #add(thread: OperatorThread): void {
    if (this.#threads.some(({ name }) => name === thread.name)) {
      void thread.close();
      throw new UsageError(`There are two operators "${thread.name}"`, {
        hint: "give --operator once for each, or another name to one of them",
      });
    }
    this.#threads.push(thread);
  }

  get operators(): readonly OperatorThread[] {
    return this.#threads;
  }

  get stats(): OperatorStats[] {
    return this.#threads.map(({ stats }) => stats);
  }

  /** Flags of modules. @throws UsageError if one of them is taken. */
  flagsBeside(table: readonly Flag[]): Flag[] {
    const flags = this.#threads.filter(({ isExec }) => !isExec).flatMap(({ params }) => params);
    const taken = flags.find(({ name }) => table.some((flag) => flag.name === name));
    if (taken === undefined) return flags;
    throw new UsageError(`--${taken.name} of an operator is a flag of kmeter already`, {
      hint: "give the operator another name, with which the names of its params begin",
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }
}

function refuseUnknownParams(
  { name, params }: OperatorThread,
  given: ReadonlyMap<string, { readonly place: string }>,
): void {
  const known = params.map((param) => param.name);
  for (const [param, { place }] of given) {
    if (known.includes(param)) continue;
    throw new UsageError(`Unknown key in ${place}: operator ${name} has no param "${param}"`, {
      hint: known.length === 0 ? "it has none" : suggestName(param, known, "params"),
    });
  }
}
