/** `--operator`: operators of others. */

import { UsageError } from "../errors.ts";
import type { OperatorStats } from "../export/mod.ts";
import { operatorSource, OperatorThread } from "../operators/mod.ts";
import type { Flag } from "./flags.ts";

/** Its value is a file, or a command behind `exec:`. */
export const OPERATOR_FLAG: Flag = {
  name: "operator",
  value: "FILE|exec:COMMAND",
  repeats: true,
  description: "let a module, or a program that reads JSON lines, take part; adds up",
};

/** Operators in their threads. Ownership: `close()` ends them. */
export class OperatorThreads {
  readonly #threads: OperatorThread[] = [];

  /**
   * Starts them. From then on only they may write files and run programs.
   * @throws UsageError for what is no operator.
   */
  static async open(
    texts: readonly string[],
    { warn }: { readonly warn: (text: string, hint?: string) => void },
  ): Promise<OperatorThreads> {
    const all = new OperatorThreads();
    try {
      for (const text of texts) {
        const source = operatorSource(text);
        // One that is a program has no name of its own.
        const others = all.#threads.filter(({ isExec }) => isExec).length;
        const label = source.kind === "module"
          ? text
          : others === 0
          ? "exec"
          : `exec-${others + 1}`;
        all.#add(await OperatorThread.open(source, { label, warn }));
      }
    } catch (error) {
      await all.close();
      throw error;
    }
    for (const name of ["run", "write"] as const) Deno.permissions.revokeSync({ name });
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
