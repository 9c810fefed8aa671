/** A gadget's object inside libbpf: open, adjust, load, attach, close. */

import { EACCES, EPERM, errnoCell, kernelError, libc } from "./libc.ts";
import { libbpf, readCString, takeLibbpfLog, toCString } from "./libbpf.ts";
import { BpfLink } from "./bpf_link.ts";
import { BpfMap } from "./bpf_map.ts";
import type { KernelError } from "../src/errors.ts";

/** `struct bpf_object_open_opts` of libbpf 1.0: fields used and the size that covers them. */
const OPEN_OPTS = {
  sizeBytes: 80,
  objectName: 8,
  btfCustomPath: 48,
  kernelLogBuf: 56,
  kernelLogSize: 64,
} as const;

/** Room for the verifier's log. Pages that nobody writes cost nothing. */
export const VERIFIER_LOG_BYTES = 16 << 20;

/** How many of the verifier's last lines go into an error. */
export const VERIFIER_LINES_SHOWN = 12;

/** `struct bpf_iter_attach_opts`: size, link_info pointer, its length as u32. */
const ITER_OPTS_SIZE_BYTES = 24;

/** How to open an object. */
export interface OpenObjectOptions {
  /** Name for messages and for maps' `<name>.bss` etc. */
  readonly name: string;
  /** Kernel BTF file for CO-RE instead of /sys/kernel/btf/vmlinux. */
  readonly btfFile?: string;
}

/**
 * One `struct bpf_object`.
 *
 * Ownership: closing it unloads its programs and maps unless a link or another descriptor holds them;
 * close links first. Programs and maps handed out die with it.
 */
export class BpfObject implements Disposable {
  /** For messages. */
  readonly name: string;
  #handle: Deno.PointerValue;
  /** libbpf may keep pointers into these until the object is closed. */
  readonly #kept: Uint8Array[] = [];
  readonly #verifierLog: Uint8Array<ArrayBuffer>;

  /**
   * @param image bytes of the object file; must not change while the object is open.
   * @throws KernelError with libbpf's own words if it cannot be parsed.
   */
  constructor(image: Uint8Array<ArrayBuffer>, options: OpenObjectOptions) {
    this.name = options.name;
    this.#verifierLog = new Uint8Array(VERIFIER_LOG_BYTES);
    const opts = this.#openOptions(options);
    takeLibbpfLog();
    const errno = errnoCell();
    this.#handle = libbpf().bpf_object__open_mem(image, BigInt(image.byteLength), opts);
    const failure = errno[0];
    if (this.#handle === null) {
      throw this.#error("bpf_object__open_mem", failure, `Cannot open the object of ${this.name}`);
    }
    this.#kept.push(image, opts);
  }

  #openOptions(options: OpenObjectOptions): Uint8Array<ArrayBuffer> {
    const opts = new Uint8Array(OPEN_OPTS.sizeBytes);
    const view = new DataView(opts.buffer);
    const setPointer = (offset: number, bytes: Uint8Array<ArrayBuffer>) => {
      this.#kept.push(bytes);
      view.setBigUint64(offset, Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)), true);
    };
    view.setBigUint64(0, BigInt(OPEN_OPTS.sizeBytes), true);
    // libbpf makes map names of it: 15 characters at most, and only these are legal.
    setPointer(
      OPEN_OPTS.objectName,
      toCString(options.name.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 15)),
    );
    if (options.btfFile !== undefined) {
      setPointer(OPEN_OPTS.btfCustomPath, toCString(options.btfFile));
    }
    setPointer(OPEN_OPTS.kernelLogBuf, this.#verifierLog);
    view.setBigUint64(OPEN_OPTS.kernelLogSize, BigInt(VERIFIER_LOG_BYTES), true);
    return opts;
  }

  #open(): Deno.PointerObject {
    if (this.#handle === null) throw new Error(`BUG: object ${this.name} used after close`);
    return this.#handle;
  }

  /** The programs, in the order of the object. */
  programs(): BpfProgram[] {
    const programs: BpfProgram[] = [];
    let handle = libbpf().bpf_object__next_program(this.#open(), null);
    while (handle !== null) {
      programs.push(new BpfProgram(handle));
      handle = libbpf().bpf_object__next_program(this.#open(), handle);
    }
    return programs;
  }

  /** The maps, in the order of the object; `.rodata`, `.bss` and `.data` included. */
  maps(): BpfMap[] {
    const maps: BpfMap[] = [];
    let handle = libbpf().bpf_object__next_map(this.#open(), null);
    while (handle !== null) {
      maps.push(new BpfMap(handle));
      handle = libbpf().bpf_object__next_map(this.#open(), handle);
    }
    return maps;
  }

  /**
   * Relocates, verifies and loads everything. After a failure the object can only be closed.
   * @throws KernelError with the verifier's last useful lines, and the program if it is one program's fault.
   */
  load(): void {
    takeLibbpfLog();
    const result = libbpf().bpf_object__load(this.#open());
    if (result < 0) {
      throw this.#error("bpf_object__load", -result, `Cannot load ${this.name} into the kernel`);
    }
  }

  #error(call: string, errno: number, what: string): KernelError {
    const lines = takeLibbpfLog();
    const details = [...readableLines(lines), ...this.#verifierLines()];
    const program = this.#handle === null ? undefined : blamedProgram(lines, this.programs());
    const hint = errno === EPERM ? undefined : "kmeter doctor tells what this kernel can do";
    return kernelError({ call, errno, what, details, program, hint });
  }

  /** The last lines of the verifier's log, without its statistics. */
  #verifierLines(): string[] {
    const end = this.#verifierLog.indexOf(0);
    const tail = this.#verifierLog.slice(Math.max(0, end - 16384), Math.max(0, end));
    return new TextDecoder().decode(tail).split("\n")
      .filter((line) => line !== "" && !/^(processed|verification time|stack depth) /.test(line))
      .slice(-VERIFIER_LINES_SHOWN);
  }

  close(): void {
    if (this.#handle === null) return;
    libbpf().bpf_object__close(this.#handle);
    this.#handle = null;
    this.#kept.length = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * The program that libbpf gave up on: after a failed load no program has a descriptor any more, so only
 * its log tells. Names are compared with those of the object, for they are a stranger's.
 */
function blamedProgram(
  lines: readonly string[],
  programs: readonly BpfProgram[],
): string | undefined {
  for (const line of lines.toReversed()) {
    const blamed = programs.find(({ name }) => line.startsWith(`libbpf: prog '${name}': `));
    if (blamed !== undefined) return blamed.name;
  }
  return undefined;
}

/** libbpf's warnings without its prefix and the log it repeats. */
function readableLines(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.replace(/^libbpf: /, ""))
    .filter((line) => !line.startsWith("-- ") && !line.includes("\n"))
    // Advice for kernels before 5.11, given for any EPERM.
    .filter((line) => !line.includes("ulimit -l"))
    .slice(-4);
}

/** One program of an open object. Lives as long as the object. */
export class BpfProgram {
  readonly name: string;
  /** Section, for example `tp_btf/sched_switch`. */
  readonly section: string;
  readonly #handle: Deno.PointerObject;

  constructor(handle: Deno.PointerObject) {
    this.#handle = handle;
    this.name = readCString(libbpf().bpf_program__name(handle)) ?? "";
    this.section = readCString(libbpf().bpf_program__section_name(handle)) ?? "";
  }

  /** `enum bpf_prog_type`; 0 if libbpf does not know the section. */
  get type(): number {
    return libbpf().bpf_program__type(this.#handle);
  }

  /** Descriptor; valid after loading. */
  get fd(): number {
    return libbpf().bpf_program__fd(this.#handle);
  }

  /** Before loading: leave the program out. */
  setAutoload(load: boolean): void {
    libbpf().bpf_program__set_autoload(this.#handle, load);
  }

  /** Before loading: `enum bpf_prog_type`, for sections that libbpf does not know. */
  setType(type: number): void {
    const result = libbpf().bpf_program__set_type(this.#handle, type);
    if (result < 0) throw this.#attachError("bpf_program__set_type", -result);
  }

  /** Before loading, for `tp_btf`, `fentry`, `fexit`, `lsm` and `iter` programs. */
  setAttachTarget(functionName: string): void {
    const result = libbpf().bpf_program__set_attach_target(
      this.#handle,
      0,
      toCString(functionName),
    );
    if (result < 0) throw this.#attachError("bpf_program__set_attach_target", -result);
  }

  /** Attaches where the section says. */
  attach(): BpfLink {
    return this.#link("bpf_program__attach", () => libbpf().bpf_program__attach(this.#handle));
  }

  attachTracepoint(category: string, name: string): BpfLink {
    return this.#link(
      "bpf_program__attach_tracepoint",
      () =>
        libbpf().bpf_program__attach_tracepoint(this.#handle, toCString(category), toCString(name)),
    );
  }

  attachRawTracepoint(name: string): BpfLink {
    return this.#link(
      "bpf_program__attach_raw_tracepoint",
      () => libbpf().bpf_program__attach_raw_tracepoint(this.#handle, toCString(name)),
    );
  }

  attachKprobe(functionName: string, options: { onReturn: boolean }): BpfLink {
    return this.#link(
      "bpf_program__attach_kprobe",
      () =>
        libbpf().bpf_program__attach_kprobe(
          this.#handle,
          options.onReturn,
          toCString(functionName),
        ),
    );
  }

  /** For `iter/bpf_map_elem`: walks the map behind the descriptor. */
  attachIterator(mapFd: number): BpfLink {
    // union bpf_iter_link_info { struct { __u32 map_fd; } map; … }
    const info = new Uint32Array([mapFd, 0]);
    const opts = new BigUint64Array([
      BigInt(ITER_OPTS_SIZE_BYTES),
      Deno.UnsafePointer.value(Deno.UnsafePointer.of(info)),
      BigInt(info.byteLength),
    ]);
    return this.#link("bpf_program__attach_iter", () => {
      const link = libbpf().bpf_program__attach_iter(this.#handle, opts);
      // The kernel has read it by now; until then it must not be collected.
      void info[0];
      return link;
    });
  }

  /** Takes over `perfFd`: the link closes it, or this call if it fails. */
  attachPerfEvent(perfFd: number): BpfLink {
    try {
      return this.#link(
        "bpf_program__attach_perf_event",
        () => libbpf().bpf_program__attach_perf_event(this.#handle, perfFd),
      );
    } catch (error) {
      libc().close(perfFd);
      throw error;
    }
  }

  #link(call: string, attach: () => Deno.PointerValue): BpfLink {
    takeLibbpfLog();
    const errno = errnoCell();
    const handle = attach();
    const failure = errno[0];
    if (handle === null) throw this.#attachError(call, failure);
    return new BpfLink(handle, this.name);
  }

  #attachError(call: string, errno: number): KernelError {
    return kernelError({
      call,
      errno,
      what: `Cannot attach program ${this.name} (${this.section})`,
      details: readableLines(takeLibbpfLog()),
      program: this.name,
      hint: attachHint(this.section, errno),
    });
  }
}

function attachHint(section: string, errno: number): string {
  const kind = section.split("/", 1)[0];
  if (kind === "tracepoint" || kind === "tp") {
    if (errno === EACCES) {
      return "classic tracepoints need tracefs, which this user may not read: run kmeter as root, or " +
        "mount tracefs for a group of this user (mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing)";
    }
    return "classic tracepoints need tracefs (mount -t tracefs tracefs /sys/kernel/tracing) and the " +
      "tracepoint to exist; kmeter doctor tells what this kernel has";
  }
  return `this kernel has no such hook, or none for ${kind} programs; use another, or leave the ` +
    "program out with attach_to: gadget_program_disabled";
}
