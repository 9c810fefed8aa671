/** The only layer with native code: libc, libbpf and libelf. Everything else sees bytes and handles. */

export { BPF_F_MMAPABLE, BpfMap, lookupByDescriptor, possibleCpuCount } from "./bpf_map.ts";
export type { BatchBuffers, BatchCall, BatchEnd } from "./bpf_map.ts";
export { BpfObject, BpfProgram, VERIFIER_LINES_SHOWN, VERIFIER_LOG_BYTES } from "./bpf_object.ts";
export type { OpenObjectOptions } from "./bpf_object.ts";
export { BpfLink, closeDescriptor, readDescriptor } from "./bpf_link.ts";
export {
  enableProgramStats,
  readMapId,
  readProgramMapIds,
  readProgramStats,
  runProgram,
} from "./bpf_program_run.ts";
export type { ProgramStats } from "./bpf_program_run.ts";
export { KERNEL_BTF_FILE, writeKernelHeader } from "./btf_dump.ts";
export { readBootTimeMs, readBootTimeNs, readWallTimeMs, readWallTimeNs } from "./clock.ts";
export {
  KernelFile,
  type KernelFolderEntry,
  listKernelFolder,
  readKernelFile,
  readKernelText,
  requireKernelPath,
} from "./kernel_files.ts";
export { copyToMemory } from "./shipped_library.ts";
export {
  EACCES,
  ENODEV,
  ENOENT,
  EPERM,
  errnoName,
  ESRCH,
  isRoot,
  kernelError,
  killProcessGroup,
  pageSizeBytes,
  systemError,
  withUmask,
} from "./libc.ts";
export {
  chosenLibbpf,
  LIBBPF_LINE_BYTES,
  LIBBPF_LOG_LINES,
  libbpfOrigin,
  libbpfVersion,
  useLibbpf,
} from "./libbpf.ts";
export { readElf } from "./libelf.ts";
export type { ElfObject, ElfSection, ElfSymbol } from "./libelf.ts";
export { borrowMemory, MappedMemory } from "./mapped_memory.ts";
export type { MappingOptions, MemoryHandle } from "./mapped_memory.ts";
export { sendNotification } from "./notify_socket.ts";
export { type Account, becomeUser } from "./privileges.ts";
export {
  cpuGeneration,
  onlineCpus,
  openCpuClock,
  openPerfOutput,
  sharePerfOutput,
} from "./perf_event.ts";
export { hasRingBuffers, probeHashReads } from "./probe_maps.ts";
export {
  BlockingPoller,
  isWritable,
  openEventFd,
  Poller,
  resetEventFd,
  signalEventFd,
  yieldToEvents,
} from "./poller.ts";
export type { PollerHandle } from "./poller.ts";
export { releaseStartMemory } from "./start_memory.ts";
