/** Hints that fit what libbpf says of an object that cannot be loaded, where no program is to blame. */

import { KernelError } from "../errors.ts";

/** What libbpf says → what to do. The first that matches counts. */
const RULES: readonly {
  readonly says: RegExp;
  readonly hint: (said: RegExpExecArray) => string;
}[] = [
  {
    says: /failed to find valid kernel BTF|Error loading vmlinux BTF/,
    hint: () =>
      "this kernel shows no types of its own (/sys/kernel/btf/vmlinux, CONFIG_DEBUG_INFO_BTF=y): give " +
      "those of its build by --btf FILE; programs of tp_btf, fentry and iter cannot do without the kernel's",
  },
  {
    says: /failed to parse target BTF/,
    hint: () =>
      "what --btf names holds no types of a kernel: give a BTF file, such as /sys/kernel/btf/vmlinux, or a " +
      "vmlinux with a .BTF section",
  },
  {
    says: /map '([^']*)': failed to create: [^\n]*\(-(?:7|12)\)/,
    hint: ([, map]) =>
      `map ${map} is larger than this kernel or its memory allows: give it smaller values, fewer entries (a parameter, or ` +
      `a constant ${map}_max_entries), or this process more memory (its cgroup's memory.max)`,
  },
  {
    says: /map '([^']*)': failed to create: [^\n]*\(-22\)/,
    hint: ([, map]) =>
      `this kernel does not know the kind of map ${map}, or not with these sizes and flags: bpftool ` +
      "feature probe kernel lists its kinds",
  },
];

/** The error with a hint that fits; the same error where nothing better is known. */
export function withLoadHint(error: KernelError): KernelError {
  for (const { says, hint } of RULES) {
    const said = says.exec(error.message);
    if (said === null) continue;
    const { message, call, errno } = error;
    return new KernelError(message, { call, errno, hint: hint(said), cause: error });
  }
  return error;
}
