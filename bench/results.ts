/** All that one run of the report measures, as it is saved and read again. */

import type { ChurnResult } from "./churn.ts";
import type { BenchRun } from "./bench_runs.ts";
import type { MemoryResult } from "./memory.ts";
import type { RatesResult } from "./rates.ts";
import type { SoakResult } from "./soak.ts";
import { runToEnd } from "./_child.ts";

/** Plain data: JSON keeps it whole. */
export interface Results {
  readonly machine: Machine;
  readonly benches: readonly BenchRun[];
  readonly rates: RatesResult;
  readonly soak: SoakResult;
  readonly memory: readonly MemoryResult[];
  readonly churn: readonly ChurnResult[];
}

/** Where and of what the results are. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly deno: string;
  /** Commit of the checkout, with a `+` if it had other changes. */
  readonly commit: string;
  /** Day, as in 2026-01-31. */
  readonly date: string;
}

/** Describes this machine and checkout. */
export async function describeMachine(): Promise<Machine> {
  const folder = new URL("..", import.meta.url).pathname;
  const git = async (...args: string[]) => await runToEnd(["git", "-C", folder, ...args]);
  const changes = await git("status", "--porcelain", "--untracked-files=no");
  const model = /^model name\s*:\s*(.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"));
  return {
    cpu: model?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    commit: (await git("rev-parse", "--short", "HEAD")) + (changes === "" ? "" : "+"),
    date: new Date().toISOString().slice(0, 10),
  };
}
