/** The manual page, made from the table that `--help` shows. */

import { type Flag, VERSION } from "../../src/cli/mod.ts";
import { escapeMdoc, mdocLine, mdocText, mdocWords } from "./mdoc.ts";
import { loadCommands, type WholeCommand } from "./whole_command.ts";
import { type Described, readGadgets } from "./word_kinds.ts";

/** Variables that kmeter itself reads. */
export const ENVIRONMENT: readonly Described[] = [
  {
    name: "KMETER_LIBBPF",
    description: "A libbpf.so.1 to use instead of the one that kmeter ships, or the system's. " +
      "The flag --libbpf goes before it; empty is as good as unset.",
  },
  {
    name: "NOTIFY_SOCKET",
    description:
      "Where run tells a service manager such as systemd that it is ready, and that it " +
      "stops: see sd_notify(3).",
  },
  { name: "PATH", description: "Where build looks for clang and llvm-strip." },
  { name: "TMPDIR", description: "Where build keeps headers while it runs, instead of /tmp." },
];

const EXIT_CODES: readonly Described[] = [
  { name: "0", description: "Done; also after SIGINT and SIGTERM, which end a run." },
  { name: "1", description: "Failed. For doctor: something does not work here." },
  { name: "2", description: "Wrong usage: a command, flag, value or name that there is not." },
  { name: "130, 143", description: "build was stopped by SIGINT or by SIGTERM." },
];

const FILES: readonly Described[] = [
  { name: "program.bpf.c", description: "In a gadget's folder: its source, for build." },
  { name: "program.bpf.o", description: "In a gadget's folder: the eBPF object that run loads." },
  {
    name: "gadget.yaml",
    description: "In a gadget's folder: its description, and annotations of its fields.",
  },
  {
    name: "/sys/kernel/btf/vmlinux",
    description: "The kernel's types, unless --btf names others.",
  },
  { name: "/sys/kernel/tracing", description: "Where classic tracepoints have their ids." },
  { name: "/proc/kallsyms", description: "Names of functions in kernel stacks." },
  { name: "/etc/passwd, /etc/group", description: "Names of users and groups." },
  {
    name: "/etc/default/kmeter",
    description: "Which gadget the systemd unit kmeter.service runs, and its flags.",
  },
];

/** Command lines, each with what it does. */
export const EXAMPLES: readonly Described[] = [
  {
    name: "kmeter run trace_exec --metrics",
    description: "Show every program that is started, and serve metrics on port 2224 of this host:",
  },
  {
    name: "kmeter run trace_tcp --listen 0.0.0.0:2224 -o none",
    description: "Serve metrics to other hosts too, and show nothing:",
  },
  {
    name: "kmeter run trace_exec --filter 'proc.comm==bash,proc.creds.uid>=1000' -o json",
    description: "Only what the shells of ordinary users start, as JSON:",
  },
  {
    name: "kmeter run trace_open --filter 'error==ENOENT' --timeout 1m30s",
    description: "Files that were not there, for a minute and a half:",
  },
  {
    name: "kmeter run trace_open --metrics --annotate open.fname:metrics.type=key",
    description: "Make a label of a field:",
  },
  {
    name: "kmeter init my_gadget && kmeter build my_gadget && kmeter run my_gadget",
    description: "Make a gadget, compile it and run it:",
  },
];

/**
 * The page as mdoc.
 *
 * @param options.timeS seconds since 1970 for the page's date: the same time gives the same bytes.
 */
export async function manPage({ timeS }: { readonly timeS: number }): Promise<string> {
  const commands = await loadCommands();
  return [
    '.\\" Made by scripts/gen_man_page.ts from the table that kmeter --help shows.',
    `.Dd ${dateOf(timeS)}`,
    ".Dt KMETER 1",
    `.Os kmeter ${VERSION}`,
    ".Sh NAME",
    ".Nm kmeter",
    ".Nd run eBPF gadgets and turn what they see into metrics",
    ".Sh SYNOPSIS",
    ...commands.flatMap(synopsis),
    ".Nm",
    ".Cm help",
    ".Op Ar COMMAND",
    ".Sh DESCRIPTION",
    ".Nm",
    mdocText(
      "runs eBPF gadgets on Linux and turns what they see into metrics: for Prometheus, and for the " +
        "terminal. A gadget is a compiled eBPF object and a gadget.yaml. kmeter reads the layout of " +
        "events and maps from the object itself.",
    ),
    ".Pp",
    mdocText(
      "Loading eBPF programs needs root, or the capabilities CAP_BPF and CAP_PERFMON, and a kernel " +
        "with BTF. Results go to standard output, everything else to standard error. Programs are " +
        "detached when kmeter ends, however it ends.",
    ),
    ".Pp",
    "The built-in gadgets are:",
    ...tagged(readGadgets(), "Cm"),
    ".Sh COMMANDS",
    ...commands.flatMap(commandSection),
    ".Sh ENVIRONMENT",
    ...tagged(ENVIRONMENT, "Ev"),
    ".Sh FILES",
    ...tagged(FILES, "Pa"),
    ".Sh EXIT STATUS",
    ...tagged(EXIT_CODES, "Sy"),
    ".Sh EXAMPLES",
    // A section begins with a paragraph of its own.
    ...EXAMPLES.flatMap(example).slice(1),
    ".Sh SEE ALSO",
    ".Xr capabilities 7 ,",
    ".Xr bpftool 8 ,",
    ".Xr bpftrace 8",
    ".Pp",
    ".Lk https://inspektor\\-gadget.io Inspektor Gadget ,",
    "whose macros, C types, annotations and flags those of kmeter are",
    "",
  ].join("\n");
}

/** mdoc's form: `November 5, 2026`, in UTC. */
function dateOf(timeS: number): string {
  return new Date(timeS * 1000).toLocaleDateString("en-US", {
    timeZone: "UTC",
    month: "long",
    day: "numeric",
    year: "numeric",
  });
}

function synopsis({ name, usage }: WholeCommand): string[] {
  return [".Nm", `.Cm ${name}`, ...usageMacros(usage)];
}

/** `GADGET [flags]` as macros, one line each. */
function usageMacros(usage: string): string[] {
  return usage.split(" ").filter((word) => word !== "").map((word) => {
    const optional = /^\[(.+)\]$/.exec(word)?.[1];
    if (optional !== undefined) return `.Op Ar ${optional}`;
    return word.endsWith("...") ? `.Ar ${word.slice(0, -3)} ...` : `.Ar ${word}`;
  });
}

function commandSection(command: WholeCommand): string[] {
  const { name, usage, summary, details, flags } = command;
  return [
    `.Ss ${name} ${mdocWords(usage)}`.trimEnd(),
    mdocText(`${sentence(summary)} ${details ?? ""}`.trimEnd()),
    ".Bl -tag -width Ds",
    ...flags.flatMap(flagItem),
    ".El",
  ];
}

function flagItem({ name, short, value, description }: Flag): string[] {
  const argument = value === undefined ? "" : ` Ar ${mdocWords(value)}`;
  const letter = short === undefined ? "" : `Fl ${short} , `;
  return [`.It ${letter}Fl \\-${escapeMdoc(name)}${argument}`, mdocText(sentence(description))];
}

/** Summaries and descriptions of the table are no sentences yet. Names of files keep their letters. */
function sentence(text: string): string {
  return `${text.replace(/^[a-z](?=[a-z]*\b(?![./]))/, (letter) => letter.toUpperCase())}.`;
}

/** A list of names, each with its description. */
function tagged(entries: readonly Described[], macro: string): string[] {
  return [
    ".Bl -tag -width Ds",
    ...entries.flatMap(({ name, description }) => [
      `.It ${macro} ${mdocWords(name)}`,
      mdocText(description.endsWith(".") ? description : `${description}.`),
    ]),
    ".El",
  ];
}

function example({ name, description }: Described): string[] {
  return [".Pp", mdocText(description), ".Bd -literal -offset indent", mdocLine(name), ".Ed"];
}
