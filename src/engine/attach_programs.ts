/** Attaches a loaded object's programs, each in the way of its section. */

import {
  type BpfLink,
  type BpfMap,
  type BpfObject,
  type BpfProgram,
  onlineCpus,
  openCpuClock,
} from "../../ffi/mod.ts";
import { UnsupportedError } from "../errors.ts";
import type { GadgetSpec, ProgramSettings } from "../gadget/mod.ts";
import type { ParsedGadget } from "./parse_gadget.ts";
import { type Refusal, toRefusal } from "./refusal.ts";

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
  const { kind } = sectionOf(program);
  const { attachTo } = settingsOf(program, spec);
  // libbpf knows the section without a name only.
  if (kind === "perf_event") program.setType(BPF_PROG_TYPE_PERF_EVENT);
  if (isDisabled(program, spec)) {
    program.setAutoload(false);
  } else if (attachTo !== undefined && isBoundAtLoad(kind)) {
    program.setAttachTarget(attachTo);
  }
}

/**
 * Attaches every program that was loaded.
 *
 * @param attached gets each program as it is attached, so that a failure leaves a list to undo.
 * @param refusals programs that are not loaded; gets those that cannot be attached.
 * @throws KernelError, UnsupportedError naming the program, if `strict`.
 */
export function attachPrograms(
  object: BpfObject,
  context: {
    gadget: Pick<ParsedGadget, "spec" | "iterTargetMaps">;
    attached: AttachedProgram[];
    refusals: Refusal[];
    strict: boolean;
  },
): void {
  const { gadget: { spec, iterTargetMaps }, attached, refusals, strict } = context;
  const notLoaded = new Set(refusals.map(({ program }) => program));
  const maps = new Map(object.maps().map((map) => [map.name, map]));
  for (const program of object.programs()) {
    if (isDisabled(program, spec) || notLoaded.has(program.name)) continue;
    const walked = maps.get(iterTargetMaps.get(program.name) ?? "");
    try {
      attached.push({ program, links: attach(program, { spec, walked }) });
    } catch (error) {
      const refusal = toRefusal(program, error);
      if (strict) throw refusal.error;
      refusals.push(refusal);
    }
  }
}

function isDisabled(program: BpfProgram, spec: GadgetSpec): boolean {
  return sectionOf(program).target === DISABLED || settingsOf(program, spec).attachTo === DISABLED;
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
  { spec, walked }: { spec: GadgetSpec; walked: BpfMap | undefined },
): BpfLink[] {
  const { kind } = sectionOf(program);
  const settings = settingsOf(program, spec);
  if (ON_REQUEST.has(kind)) return [];
  if (walked !== undefined) return [program.attachIterator(walked.fd)];
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
