/** Attaches a loaded object's programs, each in the way of its section. */

import {
  type BpfLink,
  type BpfObject,
  type BpfProgram,
  onlineCpus,
  openCpuClock,
} from "../../ffi/mod.ts";
import { UnsupportedError } from "../errors.ts";
import type { GadgetSpec, ProgramSettings } from "../gadget/mod.ts";
import type { ParsedGadget } from "./parse_gadget.ts";

/** A program and what became of it. */
export interface AttachedProgram {
  readonly program: BpfProgram;
  /** Empty for programs that run only when called. */
  readonly links: readonly BpfLink[];
}

/** Value of `attach_to` and of a section's target that leaves a program out. */
const DISABLED = "gadget_program_disabled";
const DEFAULT_SAMPLE_FREQUENCY_HZ = 49;
const BPF_PROG_TYPE_PERF_EVENT = 7;

/** Sections that the kernel calls only on request. */
const ON_REQUEST = new Set(["syscall"]);
/** Sections that need a target which kmeter has no way to be told yet. */
const WITHOUT_TARGET = new Set([
  "socket",
  "socket1",
  "classifier",
  "tc",
  "tcx",
  "xdp",
  "sockops",
  "sk_skb",
  "sk_msg",
  "cgroup_skb",
  "cgroup",
]);

/** Before loading: leaves out disabled programs and sets the targets that are fixed by loading. */
export function prepareProgram(program: BpfProgram, spec: GadgetSpec): void {
  const { kind, target } = sectionOf(program);
  const attachTo = settingsOf(program, spec).attachTo;
  // libbpf knows the section without a name only.
  if (kind === "perf_event") program.setType(BPF_PROG_TYPE_PERF_EVENT);
  if (target === DISABLED || attachTo === DISABLED) {
    program.setAutoload(false);
  } else if (attachTo !== undefined && isBoundAtLoad(kind)) {
    program.setAttachTarget(attachTo);
  }
}

/**
 * Attaches every program.
 *
 * @param attached gets each program as it is attached, so that a failure leaves a list to undo.
 * @throws KernelError, UnsupportedError naming the program.
 */
export function attachPrograms(
  object: BpfObject,
  context: {
    gadget: Pick<ParsedGadget, "spec" | "iterTargetMaps">;
    attached: AttachedProgram[];
  },
): void {
  const { gadget, attached } = context;
  const { spec, iterTargetMaps } = gadget;
  const maps = new Map(object.maps().map((map) => [map.name, map]));
  for (const program of object.programs()) {
    const settings = settingsOf(program, spec);
    const { kind, target } = sectionOf(program);
    if (target === DISABLED || settings.attachTo === DISABLED) continue;
    const walked = maps.get(iterTargetMaps.get(program.name) ?? "");
    if (ON_REQUEST.has(kind)) attached.push({ program, links: [] });
    else if (walked !== undefined) {
      attached.push({ program, links: [program.attachIterator(walked.fd)] });
    } else attached.push({ program, links: attach(program, { kind, settings }) });
  }
}

/** `programs` of gadget.yaml names programs; perf settings may stand under the section's name. */
function settingsOf(program: BpfProgram, spec: GadgetSpec): ProgramSettings {
  const { target } = sectionOf(program);
  const name = [program.name, target].find((candidate) => Object.hasOwn(spec.programs, candidate));
  return name === undefined ? {} : spec.programs[name];
}

function sectionOf(program: BpfProgram): { kind: string; target: string } {
  const [kind, ...target] = program.section.split("/");
  return { kind, target: target.join("/") };
}

function isBoundAtLoad(kind: string): boolean {
  return /^(tp_btf|fentry|fexit|fmod_ret|lsm|iter)/.test(kind);
}

function attach(
  program: BpfProgram,
  { kind, settings }: { kind: string; settings: ProgramSettings },
): BpfLink[] {
  if (kind === "perf_event") return attachToCpus(program, settings);
  if (WITHOUT_TARGET.has(kind)) {
    throw new UnsupportedError(
      `Cannot attach program ${program.name}: kmeter has no way to attach section "${program.section}"`,
      {
        feature: kind,
        hint:
          "kmeter runs tracepoint, raw_tp, tp_btf, kprobe, uprobe, usdt, fentry, iter and perf_event programs",
      },
    );
  }
  const { attachTo } = settings;
  if (attachTo === undefined || isBoundAtLoad(kind)) return [program.attach()];
  switch (kind) {
    case "tracepoint":
    case "tp": {
      const [category, name = ""] = attachTo.split("/");
      return [program.attachTracepoint(category, name)];
    }
    case "raw_tracepoint":
    case "raw_tp":
      return [program.attachRawTracepoint(attachTo)];
    case "kprobe":
    case "kretprobe":
      return [program.attachKprobe(attachTo, { onReturn: kind === "kretprobe" })];
  }
  throw new UnsupportedError(
    `Cannot attach program ${program.name} to "${attachTo}": attach_to does not work for section "${program.section}"`,
    { feature: `attach_to for ${kind}` },
  );
}

function attachToCpus(program: BpfProgram, settings: ProgramSettings): BpfLink[] {
  const links: BpfLink[] = [];
  try {
    for (const cpu of onlineCpus()) {
      const frequencyHz = settings.sampleFrequencyHz ?? DEFAULT_SAMPLE_FREQUENCY_HZ;
      links.push(program.attachPerfEvent(openCpuClock(cpu, { frequencyHz })));
    }
  } catch (error) {
    for (const link of links) link.close();
    throw error;
  }
  return links;
}
