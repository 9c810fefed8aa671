/** Runs this process on one CPU, so that a test knows which per-CPU value changes. */

import { onlineCpus } from "../../ffi/mod.ts";
import type { Probe } from "./harness.ts";
import { findTool, runTool } from "./oracles.ts";

/** Objects if a test needs several CPUs to choose from. */
export function needsTwoCpus(): ReturnType<Probe> {
  if (onlineCpus().length < 2) return "only one CPU";
  return findTool("taskset") === undefined ? "no taskset (util-linux)" : undefined;
}

/** Pins all threads to a CPU until disposed. */
export async function pinToCpu(cpu: number): Promise<AsyncDisposable> {
  await setAffinity(String(cpu));
  return { [Symbol.asyncDispose]: () => setAffinity(onlineCpus().join(",")) };
}

async function setAffinity(cpus: string): Promise<void> {
  await runTool("taskset", ["-a", "-c", "-p", cpus, String(Deno.pid)]);
}
