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
  try {
    await runTool("taskset", ["-a", "-c", "-p", cpus, String(Deno.pid)]);
  } catch (error) {
    // A thread that ends meanwhile needs no CPU any more; taskset goes on with the others.
    if (!String(error).includes("No such process")) throw error;
  }
}

/**
 * Lets all threads run before those of other processes until disposed, so that a test of speed does
 * not measure what else the machine does. Where that is forbidden nothing changes.
 */
export async function preferThisProcess(): Promise<AsyncDisposable> {
  const setPolicy = async (policy: string, priority: number) => {
    const args = ["-a", policy, "-p", String(priority), String(Deno.pid)];
    await new Deno.Command("chrt", { args, stdout: "null", stderr: "null" }).output();
  };
  if (findTool("chrt") === undefined) return { [Symbol.asyncDispose]: () => Promise.resolve() };
  await setPolicy("--fifo", 1);
  return { [Symbol.asyncDispose]: () => setPolicy("--other", 0) };
}
