/** What another process uses: CPU time, wake-ups, memory. */

const LIBC = {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" }, // clockid_t, struct timespec *
} as const satisfies Deno.ForeignLibraryInterface;

/** Bits of a clock id that mean "CPU time of the whole process" (include/linux/posix-timers_types.h). */
const CPUCLOCK_SCHED = 2;

let libc: Deno.DynamicLibrary<typeof LIBC> | undefined;

/**
 * CPU time of a process in ns: all its threads, those that have ended too. `/proc/PID/stat` has the
 * same in ticks of 10 ms, too coarse for an idle process.
 */
export function cpuTimeNs(pid: number): number {
  libc ??= Deno.dlopen("libc.so.6", LIBC);
  const time = new BigInt64Array(2);
  if (libc.symbols.clock_gettime((~pid << 3) | CPUCLOCK_SCHED, time) !== 0) {
    throw new Error(`process ${pid} has no CPU clock: has it ended?`);
  }
  return Number(time[0]) * 1e9 + Number(time[1]);
}

/** Times that the threads of a process went to sleep since they were started, by thread id. */
export type ThreadSwitches = ReadonlyMap<number, number>;

/** Voluntary context switches of the threads there are. */
export function voluntarySwitches(pid: number): ThreadSwitches {
  const switches = new Map<number, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const status = readIfThere(`/proc/${pid}/task/${name}/status`);
    const match = /^voluntary_ctxt_switches:\s+(\d+)/m.exec(status);
    if (match !== null) switches.set(Number(name), Number(match[1]));
  }
  return switches;
}

/** Times that threads fell asleep, and so were woken, between two readings. */
export function switchesBetween(before: ThreadSwitches, after: ThreadSwitches): number {
  let sum = 0;
  for (const [thread, count] of after) sum += count - (before.get(thread) ?? 0);
  return sum;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  return statusKilobytes(pid, "VmRSS") * 1024;
}

/** Most resident memory that there ever was, in bytes. */
export function peakResidentBytes(pid: number): number {
  return statusKilobytes(pid, "VmHWM") * 1024;
}

function statusKilobytes(pid: number, name: string): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status);
  if (match === null) throw new Error(`/proc/${pid}/status has no ${name}`);
  return Number(match[1]);
}

/** Threads may end between being listed and being read. */
function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || (error as { code?: string }).code === "ESRCH") {
      return "";
    }
    throw error;
  }
}
