/** Hints that fit what libbpf and the kernel said of one program. */

import type { KernelError } from "../errors.ts";
import { quoteNames } from "../text/mod.ts";
import {
  classicTracepoints,
  didYouMean,
  hasKprobes,
  kernelFunctions,
  kernelIterators,
  kernelTracepoints,
} from "./kernel_names.ts";

const ENOENT = 2;

/** Sections of programs that kmeter loads and attaches. */
export const SECTION_KINDS: readonly string[] = [
  "tracepoint",
  "tp",
  "raw_tracepoint",
  "raw_tp",
  "tp_btf",
  "kprobe",
  "kretprobe",
  "ksyscall",
  "kretsyscall",
  "uprobe",
  "uretprobe",
  "usdt",
  "fentry",
  "fexit",
  "iter",
  "perf_event",
  "syscall",
];

/** Where a program wants to be hooked. */
interface Hook {
  readonly name: string;
  readonly section: string;
}

/** What libbpf or the verifier says → what to do. The first that matches counts. */
const RULES: readonly {
  readonly says: RegExp;
  readonly hint: (hook: Hook, said: RegExpExecArray) => string;
}[] = [
  {
    says: /missing BPF prog type/,
    hint: ({ section }) => {
      const kind = section.split("/", 1)[0];
      return `section "${section}" is of no kind that libbpf knows: ` +
        didYouMean(kind, SECTION_KINDS) + `kinds: ${quoteNames(SECTION_KINDS)}`;
    },
  },
  {
    says: /GPL[- ](?:restricted|compatible)/i,
    hint: () =>
      'the kernel keeps this for programs under the GPL: add char LICENSE[] SEC("license") = "GPL"; ' +
      "to the source, if that is its licence",
  },
  {
    says: /failed to find kernel BTF type ID of '([^']*)'/,
    hint: ({ section }, [, target]) => missingHook(section.split("/", 1)[0], target),
  },
  {
    says: /invalid func unknown#195896080|<invalid CO-RE relocation>|failed to resolve CO-RE/,
    hint: ({ name }) =>
      `${name} reads a type or member that this kernel does not have: ask with bpf_core_field_exists() ` +
      "or bpf_core_type_exists() before",
  },
  {
    says: /(?:unknown|invalid) func (\w+)#|program of this type cannot use helper (\w+)#/,
    hint: ({ name }, [, unknown, unfit]) =>
      `this kernel lets no program like ${name} call ${unknown ?? unfit}: use another helper, ` +
      "or a section of another kind",
  },
  {
    // The map of <gadget/buffer.h>, where there are no ring buffers.
    says: /map=gadget_heap,[^]*\n {2}invalid access to map value, value_size=(\d+) /,
    hint: ({ name }, [, size]) =>
      `events of ${name} are larger than the ${size} bytes that a perf buffer's are made in: put ` +
      "#define GADGET_MAX_EVENT_SIZE with their size before #include <gadget/buffer.h>",
  },
  {
    // A line that names a register, an instruction or source is the verifier's.
    says: /^ {2}(?:\d+: \(|; |R\d |.*\binsns?\b|func#|back-edge|infinite loop|BPF program is too)/m,
    hint: ({ name }) =>
      `the kernel's verifier refuses the code of ${name}; the lines above say where and why: ` +
      "correct the source and build it again",
  },
];

/** The hint for a program that was refused; the error's own where nothing better is known. */
export function hintForRefusal(error: KernelError, hook: Hook): string | undefined {
  for (const { says, hint } of RULES) {
    const said = says.exec(error.message);
    if (said !== null) return hint(hook, said);
  }
  return error.errno === ENOENT ? absentHook(hook) ?? error.hint : error.hint;
}

/** For hooks that are looked up when attaching. @returns undefined if the hook is there. */
function absentHook({ section }: Hook): string | undefined {
  const [kind, ...rest] = section.split("/");
  const target = rest.join("/");
  const known = kind === "tp" || kind === "tracepoint"
    ? classicTracepoints()
    : kind === "raw_tp" || kind === "raw_tracepoint"
    ? kernelTracepoints()
    : kind === "kprobe" || kind === "kretprobe"
    ? kernelFunctions()
    : [];
  // A function may have an offset: kprobe/name+0x10.
  const isThere = known.includes(target.replace(/\+.*$/, ""));
  if (known.length > 0 && !isThere) return missingHook(kind, target);
  return /^k(ret)?probe$/.test(kind) && !hasKprobes()
    ? "this kernel was built without kprobes (CONFIG_KPROBE_EVENTS); use a tracepoint, or fentry"
    : undefined;
}

function missingHook(kind: string, target: string): string {
  switch (kind) {
    case "tp":
    case "tracepoint":
      return `this kernel has no tracepoint ${target}: ${
        didYouMean(target, classicTracepoints())
      }` +
        "ls /sys/kernel/tracing/events shows all";
    case "tp_btf":
    case "raw_tp":
    case "raw_tracepoint": {
      const name = target.replace(/^btf_trace_/, "");
      return `this kernel has no tracepoint ${name}: ${didYouMean(name, kernelTracepoints())}` +
        "cat /sys/kernel/tracing/available_events shows most";
    }
    case "iter": {
      const name = target.replace(/^bpf_iter_/, "");
      const kinds = kernelIterators();
      return `this kernel has no iterator ${name}: ${didYouMean(name, kinds)}` +
        `iterators: ${quoteNames(kinds)}`;
    }
  }
  return `this kernel has no function ${target}, or has it only inlined: ` +
    `${didYouMean(target, kernelFunctions())}/proc/kallsyms lists what there is`;
}
