/** Run-time statistics of programs, and runs on demand. */

import { closeDescriptor } from "./bpf_link.ts";
import { kernelError } from "./libc.ts";
import { libbpf } from "./libbpf.ts";

/** What the kernel counted for one program. */
export interface ProgramStats {
  /** Kernel id, as `bpftool prog show` prints it. */
  readonly id: number;
  readonly runTimeNs: bigint;
  readonly runCount: bigint;
}

/** `struct bpf_prog_info` (linux/bpf.h): fields used and a size that covers them. */
const PROG_INFO = {
  sizeBytes: 208,
  id: 4,
  mapCount: 52,
  mapIds: 56,
  runTimeNs: 192,
  runCount: 200,
} as const;
/** Maps of one program at most: `MAX_USED_MAPS` of the kernel. */
const MAX_PROGRAM_MAPS = 64;
/** `struct bpf_map_info` (linux/bpf.h): the id, and a size that covers it. */
const MAP_INFO = { sizeBytes: 8, id: 4 } as const;
const BPF_STATS_RUN_TIME = 0;

/** Reads the statistics of a loaded program. Times are zero unless statistics are switched on. */
export function readProgramStats(programFd: number): ProgramStats {
  const view = new DataView(new ArrayBuffer(PROG_INFO.sizeBytes));
  readInfo(programFd, view, "Cannot read program statistics");
  return {
    id: view.getUint32(PROG_INFO.id, true),
    runTimeNs: view.getBigUint64(PROG_INFO.runTimeNs, true),
    runCount: view.getBigUint64(PROG_INFO.runCount, true),
  };
}

/** Kernel ids of the maps that a loaded program uses, functions that it calls included. */
export function readProgramMapIds(programFd: number): Set<number> {
  const ids = new Uint32Array(MAX_PROGRAM_MAPS);
  const view = new DataView(new ArrayBuffer(PROG_INFO.sizeBytes));
  view.setUint32(PROG_INFO.mapCount, MAX_PROGRAM_MAPS, true);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(ids));
  view.setBigUint64(PROG_INFO.mapIds, address, true);
  readInfo(programFd, view, "Cannot read the maps of a program");
  const count = view.getUint32(PROG_INFO.mapCount, true);
  return new Set(ids.subarray(0, Math.min(count, MAX_PROGRAM_MAPS)));
}

/** Kernel id of a map, as `bpftool map show` prints it. */
export function readMapId(mapFd: number): number {
  const view = new DataView(new ArrayBuffer(MAP_INFO.sizeBytes));
  readInfo(mapFd, view, "Cannot read the id of a map");
  return view.getUint32(MAP_INFO.id, true);
}

function readInfo(fd: number, info: DataView<ArrayBuffer>, what: string): void {
  const result = libbpf().bpf_obj_get_info_by_fd(
    fd,
    new Uint8Array(info.buffer),
    new Uint32Array([info.byteLength]),
  );
  if (result < 0) throw kernelError({ call: "bpf_obj_get_info_by_fd", errno: -result, what });
}

/** Switches run-time statistics on for all programs until closed; undefined where the kernel refuses. */
export function enableProgramStats(): Disposable | undefined {
  const fd = libbpf().bpf_enable_stats(BPF_STATS_RUN_TIME);
  return fd < 0 ? undefined : { [Symbol.dispose]: () => closeDescriptor(fd) };
}

/** `struct bpf_test_run_opts` (bpf.h of libbpf 1.0). */
const RUN_OPTS = { sizeBytes: 80, ctxIn: 32, ctxSizeIn: 48, retval: 56 } as const;

/**
 * Runs a `SEC("syscall")` program once, on another thread.
 * @param context handed to the program as its context; may be empty.
 * @returns the program's return value.
 */
export async function runProgram(
  programFd: number,
  context: Uint8Array<ArrayBuffer>,
): Promise<number> {
  const opts = new Uint8Array(RUN_OPTS.sizeBytes);
  const view = new DataView(opts.buffer);
  view.setBigUint64(0, BigInt(RUN_OPTS.sizeBytes), true);
  if (context.byteLength > 0) {
    const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(context));
    view.setBigUint64(RUN_OPTS.ctxIn, address, true);
    view.setUint32(RUN_OPTS.ctxSizeIn, context.byteLength, true);
  }
  const result = await libbpf().bpf_prog_test_run_opts(programFd, opts);
  if (result < 0) {
    throw kernelError({
      call: "bpf_prog_test_run_opts",
      errno: -result,
      what: "Cannot run the program",
    });
  }
  // The context must stay alive until the kernel has read it.
  return context.byteLength >= 0 ? view.getUint32(RUN_OPTS.retval, true) : 0;
}
