/** The process metrics that every Prometheus client has, read from procfs. */

import { EACCES, ENOENT, EPERM, listKernelFolder, readKernelText } from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";

/** What is known of this process. A fact that cannot be read is absent. */
export interface ProcessStats {
  readonly cpuSeconds?: number;
  readonly residentBytes?: number;
  readonly virtualBytes?: number;
  readonly openFds?: number;
  readonly maxFds?: number;
  /** Seconds since the epoch. */
  readonly startTimeSeconds?: number;
}

/** USER_HZ: the unit of times in procfs, 100 in the ABI of every architecture that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Reads the stats of the running process. Cost: five small files of procfs. */
export function readProcessStats(): ProcessStats {
  return {
    ...parseProcessStat(readIfAllowed("/proc/self/stat"), readIfAllowed("/proc/stat")),
    residentBytes: Deno.memoryUsage().rss,
    maxFds: parseMaxFds(readIfAllowed("/proc/self/limits")),
    openFds: countOpenFds(),
  };
}

/** Parses `/proc/self/stat` and the boot time in `/proc/stat`; `undefined` stands for an unreadable file. */
export function parseProcessStat(
  selfStat: string | undefined,
  systemStat: string | undefined,
): Pick<ProcessStats, "cpuSeconds" | "virtualBytes" | "startTimeSeconds"> {
  if (selfStat === undefined) return {};
  // The command name may contain blanks and parentheses: fields count from behind its last one. The
  // first of them is the third of the file.
  const fields = selfStat.slice(selfStat.lastIndexOf(")") + 2).split(" ").map(Number);
  const bootTime = systemStat?.match(/^btime (\d+)$/m)?.[1];
  return {
    cpuSeconds: (fields[11] + fields[12]) / TICKS_PER_SECOND,
    virtualBytes: fields[20],
    startTimeSeconds: bootTime === undefined
      ? undefined
      : Number(bootTime) + fields[19] / TICKS_PER_SECOND,
  };
}

/** Parses the soft limit of open files in `/proc/self/limits`; `unlimited` is +Inf. */
export function parseMaxFds(limits: string | undefined): number | undefined {
  const soft = limits?.match(/^Max open files\s+(\S+)/m)?.[1];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Infinity : Number(soft);
}

function countOpenFds(): number | undefined {
  try {
    return listKernelFolder("/proc/self/fd").length - 1; // The folder that is being read is one of them.
  } catch (error) {
    return absentIfUnreadable(error);
  }
}

function readIfAllowed(path: string): string | undefined {
  try {
    return readKernelText(path);
  } catch (error) {
    return absentIfUnreadable(error);
  }
}

/** Missing procfs or permissions cost a metric, not the page. */
function absentIfUnreadable(error: unknown): undefined {
  const isUnreadable = error instanceof KernelError &&
    [ENOENT, EACCES, EPERM].includes(error.errno);
  if (!isUnreadable) throw error;
}
