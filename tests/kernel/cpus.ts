/** Runs this process on one CPU, so that a test knows which per-CPU value changes. */

import { onlineCpus } from "../../ffi/mod.ts";
import type { Probe } from "./harness.ts";
import { findTool, runTool } from "./oracles.ts";

/** Objects if a test needs several CPUs to choose from. */
export function needsTwoCpus(): ReturnType<Probe> {
  if (onlineCpus().length < 2) return "only one CPU";
  return findTool("taskset") === undefined ? "no taskset (util-linux)" : undefined;
}

/** File that takes CPU 1 away and brings it back. */
export const CPU_SWITCH = "/sys/devices/system/cpu/cpu1/online";

/** Takes CPU 1 away ("0") or brings it back ("1"). */
export function switchCpu(state: "0" | "1"): void {
  Deno.writeTextFileSync(CPU_SWITCH, state);
}

/** Objects if CPU 1 cannot be switched. */
export function needsCpuSwitch(): ReturnType<Probe> {
  if (!onlineCpus().includes(1)) return "no CPU 1";
  try {
    switchCpu("1");
    return undefined;
  } catch (error) {
    return `CPU 1 cannot be switched: ${error instanceof Error ? error.message : error}`;
  }
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
