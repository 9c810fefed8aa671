/** `--operator`: operators of others. */

import { UsageError } from "../errors.ts";
import type { OperatorStats } from "../export/mod.ts";
import {
  ENRICH_OPERATOR,
  EXEC_PARAMS,
  FILTER_OPERATOR,
  METRICS_OPERATOR,
  operatorSource,
  OperatorThread,
} from "../operators/mod.ts";
import type { GadgetSpec } from "../gadget/mod.ts";
import { suggestName } from "../text/mod.ts";
import type { Flag, ParsedFlags } from "./flags.ts";

/** Its value is a file, or a command behind `exec:`. */
export const OPERATOR_FLAG: Flag = {
  name: "operator",
  value: "FILE|exec:COMMAND",
  repeats: true,
  description: "let a module, or a program that reads JSON lines, take part; adds up",
};

/** Names of kmeter's own. */
const TAKEN_NAMES: readonly string[] = [
  ...[ENRICH_OPERATOR, FILTER_OPERATOR, METRICS_OPERATOR].map(({ name }) => name),
  "cli",
  "otlp",
  "prometheus",
];

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
    const { name } = thread;
    // Closed with the others, whatever is wrong with it.
    const isTwice = this.#threads.some((other) => other.name === name);
    this.#threads.push(thread);
    if (isTwice) {
      throw new UsageError(`There are two operators "${name}"`, {
        hint: "give --operator once for each, or another name to one of them",
      });
    }
    if (TAKEN_NAMES.includes(name)) {
      throw new UsageError(`The name "${name}" is that of an operator of kmeter's own`, {
        hint: "give yours another name",
      });
    }
  }

  get operators(): readonly OperatorThread[] {
    return this.#threads;
  }

  get stats(): OperatorStats[] {
    return this.#threads.map(({ stats }) => stats);
  }

  /** Flags of modules. @throws UsageError if one of them is a flag of kmeter, or of two modules. */
  flagsBeside(table: readonly Flag[]): Flag[] {
    const flags = this.#flags();
    refuseTaken(flags, { names: table.map(({ name }) => name), owner: "kmeter" });
    flags.forEach(({ name }, index) =>
      refuseTaken(flags.slice(index + 1), { names: [name], owner: "another one" })
    );
    return flags;
  }

  /** @throws UsageError for flags of programs if there is none. */
  refuseIdleFlags(flags: ParsedFlags): void {
    if (this.#threads.some(({ isExec }) => isExec)) return;
    const idle = EXEC_PARAMS.find(({ name, value }) =>
      value === undefined ? flags.has(name) : flags.text(name) !== undefined
    );
    if (idle === undefined) return;
    throw new UsageError(
      `--${idle.name} is about programs of --operator exec:, and there is none`,
      {
        hint: 'add one, such as --operator "exec:jq -c ."',
      },
    );
  }

  /** @throws UsageError if a gadget has a param that a module has. */
  refuseParamsOf({ name, params }: GadgetSpec): void {
    refuseTaken(this.#flags(), {
      names: params.map(({ key }) => key),
      owner: `the gadget ${name}`,
    });
  }

  #flags(): Flag[] {
    return this.#threads.filter(({ isExec }) => !isExec).flatMap(({ params }) => params);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()));
  }
}

function refuseTaken(
  flags: readonly Flag[],
  { names, owner }: { readonly names: readonly string[]; readonly owner: string },
): void {
  const taken = flags.find(({ name }) => names.includes(name));
  if (taken === undefined) return;
  throw new UsageError(`--${taken.name} of an operator is a flag of ${owner} already`, {
    hint: "give the operator another name, with which the names of its params begin",
  });
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
