/** What this kernel can do, found out by trying. */

import {
  enableProgramStats,
  ENOENT,
  hasRingBuffers,
  libbpfVersion,
  probeHashReads,
  requireKernelPath,
} from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";
import { type AttachedProgram, attachPrograms } from "./attach_programs.ts";
import { builtinNames } from "./gadget_files.ts";
import { loadObject } from "./load_object.ts";
import { parseGadget } from "./parse_gadget.ts";
import { CAPABILITY_USES, loadingPrivilege, missingCapabilities } from "./privileges.ts";

/** One finding. */
export interface Finding {
  readonly subject: string;
  readonly isOk: boolean;
  /** A version, or what is wrong. */
  readonly detail: string;
  readonly hint?: string;
}

/** Looks at what every gadget needs. */
export function probeHost(): Finding[] {
  return [
    probePrivileges(),
    probeFile("kernel BTF", "/sys/kernel/btf/vmlinux", {
      hint: "use a kernel with CONFIG_DEBUG_INFO_BTF=y, or pass --btf FILE",
    }),
    probeFile("tracefs", "/sys/kernel/tracing/events", {
      hint: "mount -t tracefs tracefs /sys/kernel/tracing (needed by classic tracepoints only)",
      unreadableHint: "run as root, or: mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing " +
        "(needed by classic tracepoints only)",
    }),
    ...(loadingPrivilege() === undefined ? [] : probeFallbacks()),
    attempt("libbpf", () => libbpfVersion()),
  ];
}

function probePrivileges(): Finding {
  const privilege = loadingPrivilege();
  return {
    subject: "privileges",
    isOk: privilege !== undefined,
    detail: privilege ?? missingCapabilities()
      .map((capability) => `lacks ${capability}, ${CAPABILITY_USES[capability]}`).join("\n"),
    hint: "run with sudo",
  };
}

/** What gadgets run without, if need be: no failure. Only those who may load can try. */
function probeFallbacks(): Finding[] {
  const hasRings = hasRingBuffers();
  const reads = probeHashReads();
  using stats = enableProgramStats();
  const findings = {
    "ring buffers": hasRings
      ? "yes"
      : "none before Linux 5.8: maps of GADGET_TRACER_MAP become perf buffers; gadgets with others do not load",
    "map batches": reads?.inBatches === false
      ? "none before Linux 5.6: a map is read by two calls an entry"
      : "yes",
    "map removal": reads?.takesOut === false
      ? "an entry is read, then deleted, before Linux 5.14: what is counted in between is lost"
      : "yes",
    "run times": stats === undefined
      ? "kmeter_program_run_time_seconds_total is left out: that needs Linux 5.8 and CAP_SYS_ADMIN"
      : "yes",
  };
  return Object.entries(findings).map(([subject, detail]) => ({ subject, isOk: true, detail }));
}

function probeFile(
  subject: string,
  path: string,
  { hint, unreadableHint = hint }: { hint: string; unreadableHint?: string },
): Finding {
  try {
    requireKernelPath(path);
    return { subject, isOk: true, detail: path };
  } catch (error) {
    return error instanceof KernelError && error.errno === ENOENT
      ? { subject, isOk: false, detail: `${path}: missing`, hint }
      : { subject, isOk: false, detail: `${path}: not readable`, hint: unreadableHint };
  }
}

/** Loads and attaches each built-in gadget, and takes it away again. */
export function probeGadgets(): Finding[] {
  return builtinNames().map((name) => attempt(name, () => tryGadget(name)));
}

function tryGadget(name: string): string {
  const gadget = parseGadget(name, []);
  const { object, refusals } = loadObject(gadget, { params: new Map(), strict: true });
  const attached: AttachedProgram[] = [];
  try {
    attachPrograms(object, { gadget, attached, refusals, strict: true });
    return `loads and attaches (${attached.map(({ program }) => program.section).join(", ")})`;
  } finally {
    for (const { links } of attached) for (const link of links) link.close();
    object.close();
  }
}

function attempt(subject: string, action: () => string): Finding {
  try {
    return { subject, isOk: true, detail: action() };
  } catch (error) {
    const hint = error instanceof KernelError ? error.hint : undefined;
    return {
      subject,
      isOk: false,
      detail: error instanceof Error ? error.message : String(error),
      hint,
    };
  }
}
