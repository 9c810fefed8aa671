/** `kmeter build FOLDER`: clang → program.bpf.o. */

import { METADATA_NAME, OBJECT_NAME, parseGadget, SOURCE_NAME } from "../engine/mod.ts";
import { FormatError, UsageError } from "../errors.ts";
import { findToolchain, type Toolchain } from "./clang.ts";
import { type Command, HELP_FLAG } from "./command.ts";
import { parseFlags, refuseUnknownFlags } from "./flags.ts";
import { HeaderFolder } from "./header_folder.ts";
import { writeNotice, writeOutput } from "./output.ts";
import { btfFileOf } from "./run_flags.ts";

const FLAGS = [
  { name: "btf", value: "FILE", description: "types of the kernel; otherwise the running one's" },
  HELP_FLAG,
];

const TARGET_ARCH = Deno.build.arch === "x86_64" ? "x86" : "arm64";
/** Exit code of a program that a signal ended: this and the signal's number. */
const SIGNALLED = 128;
const SIGNALS = [["SIGINT", 2], ["SIGTERM", 15]] as const;

export const buildCommand: Command = {
  name: "build",
  usage: "FOLDER... [flags]",
  summary: `compile a gadget's ${SOURCE_NAME} to ${OBJECT_NAME}`,
  details:
    `Needs the host's clang and nothing else: <gadget/*.h>, <bpf/*.h> and <vmlinux.h> come\n` +
    `from kmeter. The object is checked against ${METADATA_NAME} afterwards.`,
  flags: FLAGS,
  async run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    if (flags.positionals.length === 0) {
      throw new UsageError("kmeter build needs a folder", { hint: "kmeter build ./my_gadget" });
    }
    const btfFile = btfFileOf(flags);
    const folders = flags.positionals.map((folder) => folder.replace(/(?<=.)\/+$/, ""));
    for (const folder of folders) requireSource(folder);
    const tools = await findToolchain();
    using headers = new HeaderFolder();
    using _signals = closeOnSignals(headers);
    headers.fill(btfFile);
    for (const folder of folders) await buildGadget(folder, { tools, include: headers.path });
    return 0;
  },
};

/** Ends the process, headers first, when a signal asks for it. */
function closeOnSignals(headers: HeaderFolder): Disposable {
  const listeners = SIGNALS.map(([signal, number]) => {
    const listener = () => {
      headers.close();
      Deno.exit(SIGNALLED + number);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return { [Symbol.dispose]: () => listeners.forEach((remove) => remove()) };
}

interface Workshop {
  readonly tools: Toolchain;
  /** Folder of the headers. */
  readonly include: string;
}

async function buildGadget(folder: string, workshop: Workshop): Promise<void> {
  const object = `${folder}/${OBJECT_NAME}`;
  // Under a name of its own until it is complete: a build that fails leaves the last object as it was.
  const part = `${folder}/.${OBJECT_NAME}.${Deno.pid}.part`;
  try {
    await compile({ source: `${folder}/${SOURCE_NAME}`, object: part }, workshop);
    Deno.renameSync(part, object);
  } catch (error) {
    if (exists(part)) Deno.removeSync(part);
    throw error;
  }
  for (const warning of parseGadget(folder, []).warnings) writeNotice(`warning: ${warning}`);
  writeOutput(`built ${object}\n`);
}

async function compile(
  { source, object }: { source: string; object: string },
  { tools, include }: Workshop,
): Promise<void> {
  await runTool(tools.clang, [
    "-target",
    "bpf",
    "-mcpu=v3",
    "-Wall",
    "-g",
    "-O2",
    `-D__TARGET_ARCH_${TARGET_ARCH}`,
    // The object names its sources: the same gadget shall give the same bytes.
    `-ffile-prefix-map=${include}/=`,
    "-I",
    include,
    "-c",
    source,
    "-o",
    object,
  ], include);
  // The kernel never sees what is stripped; the object is only larger with it.
  if (tools.llvmStrip !== undefined) await runTool(tools.llvmStrip, ["-g", object], include);
}

function requireSource(folder: string): void {
  const source = `${folder}/${SOURCE_NAME}`;
  if (!exists(source)) {
    throw new UsageError(`Cannot build "${folder}": there is no ${source}`, {
      hint: `a gadget's folder holds ${SOURCE_NAME} and ${METADATA_NAME}; kmeter init makes one`,
    });
  }
}

/** Runs a tool and shows its messages, headers under the names by which they are included. */
async function runTool(tool: string, args: readonly string[], include: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(tool, { args: [...args] }).output();
  const messages = new TextDecoder().decode(stderr).trimEnd().replaceAll(`${include}/`, "");
  // Tabs are in the lines of source that the compiler quotes.
  if (messages !== "") writeNotice(messages.replaceAll("\t", "    "));
  if (success) return;
  throw new FormatError(`Cannot build: ${tool.slice(tool.lastIndexOf("/") + 1)} failed`, {
    hint: "mend the source and build again",
  });
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
