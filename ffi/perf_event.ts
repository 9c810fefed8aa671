/** Perf events: the clock that makes `perf_event/` programs run, and the buffers of perf event arrays. */

import { KernelError } from "../src/errors.ts";
import { kernelFolderInode, readKernelText } from "./kernel_files.ts";
import { ENOENT, errnoCell, kernelError, libc } from "./libc.ts";

/** `struct perf_event_attr` (linux/perf_event.h): fields used and the size of version 5. */
const ATTR = {
  sizeBytes: 112,
  type: 0,
  size: 4,
  config: 8,
  sampleFrequency: 16,
  sampleType: 24,
  flags: 40,
  wakeupEvents: 48,
} as const;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_CPU_CLOCK = 0n;
const PERF_COUNT_SW_BPF_OUTPUT = 10n;
const PERF_SAMPLE_RAW = 1n << 10n;
const PERF_EVENT_IOC_ENABLE = 0x2400n;
const PERF_EVENT_IOC_SET_OUTPUT = 0x2405n;
const FLAG_FREQUENCY = 1n << 10n;
const PERF_FLAG_FD_CLOEXEC = 8n;
const SYS_PERF_EVENT_OPEN = Deno.build.arch === "x86_64" ? 298n : 241n;
const ANY_PROCESS = -1n;
const NO_GROUP = -1n;

/**
 * Opens a cpu-clock event on one CPU.
 * @returns its descriptor; whoever attaches a program to it hands it over.
 * @throws KernelError.
 */
export function openCpuClock(cpu: number, options: { frequencyHz: number }): number {
  const { attr, view } = newAttr(PERF_COUNT_SW_CPU_CLOCK);
  view.setBigUint64(ATTR.sampleFrequency, BigInt(options.frequencyHz), true);
  view.setBigUint64(ATTR.flags, FLAG_FREQUENCY, true);
  return openOnCpu(attr, { cpu, what: `the cpu-clock event of CPU ${cpu}` });
}

/**
 * Opens and enables the event that `bpf_perf_event_output` writes to on one CPU.
 * @returns its descriptor, which the caller maps, puts into the perf event array, and closes.
 * @throws KernelError.
 */
export function openPerfOutput(cpu: number): number {
  const { attr, view } = newAttr(PERF_COUNT_SW_BPF_OUTPUT);
  view.setBigUint64(ATTR.sampleType, PERF_SAMPLE_RAW, true);
  view.setUint32(ATTR.wakeupEvents, 1, true);
  const what = `the perf buffer of CPU ${cpu}`;
  const fd = openOnCpu(attr, { cpu, what });
  const errno = errnoCell();
  if (libc().ioctl(fd, PERF_EVENT_IOC_ENABLE, 0n) < 0) {
    const error = kernelError({ call: "ioctl", errno: errno[0], what: `Cannot enable ${what}` });
    libc().close(fd);
    throw error;
  }
  return fd;
}

/** Lets an event write to the buffer that is mapped from another one of the same CPU. @throws KernelError. */
export function sharePerfOutput(fd: number, mappedFd: number): void {
  const errno = errnoCell();
  if (libc().ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, BigInt(mappedFd)) < 0) {
    throw kernelError({ call: "ioctl", errno: errno[0], what: "Cannot share a perf buffer" });
  }
}

function newAttr(config: bigint): { attr: Uint8Array<ArrayBuffer>; view: DataView } {
  const attr = new Uint8Array(ATTR.sizeBytes);
  const view = new DataView(attr.buffer);
  view.setUint32(ATTR.type, PERF_TYPE_SOFTWARE, true);
  view.setUint32(ATTR.size, ATTR.sizeBytes, true);
  view.setBigUint64(ATTR.config, config, true);
  return { attr, view };
}

function openOnCpu(
  attr: Uint8Array<ArrayBuffer>,
  { cpu, what }: { cpu: number; what: string },
): number {
  const errno = errnoCell();
  const fd = Number(
    libc().syscall(
      SYS_PERF_EVENT_OPEN,
      attr,
      ANY_PROCESS,
      BigInt(cpu),
      NO_GROUP,
      PERF_FLAG_FD_CLOEXEC,
    ),
  );
  if (fd < 0) {
    throw kernelError({ call: "perf_event_open", errno: errno[0], what: `Cannot open ${what}` });
  }
  return fd;
}

/** Numbers of the CPUs that are online, from the kernel's list such as `0-3,8`. */
export function onlineCpus(): number[] {
  const list = readKernelText("/sys/devices/system/cpu/online").trim();
  return list.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/**
 * A number that changes whenever a CPU that is online goes offline and comes back: the kernel makes its folder
 * `topology` anew. 0 where there is no such folder. Throws: KernelError.
 */
export function cpuGeneration(cpu: number): bigint {
  try {
    return kernelFolderInode(`/sys/devices/system/cpu/cpu${cpu}/topology`);
  } catch (error) {
    if (error instanceof KernelError && error.errno === ENOENT) return 0n;
    throw error;
  }
}
