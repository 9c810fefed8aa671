/** `kmeter build FOLDER`: clang → program.bpf.o. */

import { METADATA_NAME, OBJECT_NAME, parseGadget, SOURCE_NAME } from "../engine/mod.ts";
import { FormatError, UsageError } from "../errors.ts";
import { findToolchain, type Toolchain } from "./clang.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { parseFlags, refuseUnknownFlags } from "./flags.ts";
import { HeaderFolder } from "./header_folder.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { writeNotice, writeOutput } from "./output.ts";
import { btfFileOf } from "./run_flags.ts";

const FLAGS = [
  { name: "btf", value: "FILE", description: "types of the kernel; otherwise the running one's" },
  LIBBPF_FLAG,
  HELP_FLAG,
];

const TARGET_ARCH = Deno.build.arch === "x86_64" ? "x86" : "arm64";
/** Exit code of a program that a signal ended: this and the signal's number. */
const SIGNALLED = 128;
/** What tools say when there is no room for what they make, and what LLVM says before its stack. */
const NO_ROOM = "No space left on device";
const LLVM_FAULT = "\nPLEASE submit a bug report";
const SIGNALS = [["SIGINT", 2], ["SIGTERM", 15]] as const;

export const buildCommand: CommandBody = {
  usage: "FOLDER... [flags]",
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
    chooseLibbpf(flags);
    const btfFile = btfFileOf(flags);
    const folders = flags.positionals.map((folder) => folder.replace(/(?<=.)\/+$/, ""));
    for (const folder of folders) requireSource(folder);
    const tools = await findToolchain(Deno.env.get("PATH") ?? "");
    using stop = new Stop();
    using headers = new HeaderFolder();
    headers.fill(btfFile);
    const workshop = { tools, include: headers.path, stop: stop.signal };
    try {
      for (const folder of folders) await buildGadget(folder, workshop);
    } catch (error) {
      if (stop.exitCode !== undefined) return stop.exitCode;
      throw error;
    }
    return 0;
  },
};

/** A wish to stop: SIGINT or SIGTERM, as something that ends the compiler. */
class Stop implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners = SIGNALS.map(([signal, number]) => {
    const listener = () => {
      this.exitCode = SIGNALLED + number;
      this.#controller.abort();
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  /** Present once a signal has come. */
  exitCode?: number;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const remove of this.#listeners) remove();
  }
}

interface Workshop {
  readonly tools: Toolchain;
  /** Folder of the headers. */
  readonly include: string;
  readonly stop: AbortSignal;
}

async function buildGadget(folder: string, workshop: Workshop): Promise<void> {
  const object = `${folder}/${OBJECT_NAME}`;
  // Under a name of its own until it is complete: a build that fails leaves the last object as it was.
  const part = `${folder}/.${OBJECT_NAME}.${Deno.pid}.part`;
  try {
    await compile({ source: `${folder}/${SOURCE_NAME}`, object: part }, workshop);
    for (const warning of replaceObject(folder, part)) writeNotice(`warning: ${warning}`);
  } finally {
    if (exists(part)) Deno.removeSync(part);
  }
  writeOutput(`built ${object}\n`);
}

/**
 * Makes the new object the gadget's; the last one comes back if the new one cannot be used.
 * @returns warnings.
 */
function replaceObject(folder: string, part: string): readonly string[] {
  const object = `${folder}/${OBJECT_NAME}`;
  const last = exists(object) ? `${part}.last` : undefined;
  if (last !== undefined) Deno.renameSync(object, last);
  try {
    Deno.renameSync(part, object);
    const { warnings } = parseGadget(folder, []);
    if (last !== undefined) Deno.removeSync(last);
    return warnings;
  } catch (error) {
    if (last !== undefined) Deno.renameSync(last, object);
    else Deno.removeSync(object);
    throw error;
  }
}

async function compile(
  { source, object }: { source: string; object: string },
  workshop: Workshop,
): Promise<void> {
  const { tools: { clang, llvmStrip }, include } = workshop;
  // The flags of scripts/build_gadgets. An object names its sources: not the temporary folder of the headers.
  const flags = ["-fno-crash-diagnostics", "-target", "bpf", "-mcpu=v3", "-Wall", "-g", "-O2"];
  flags.push(`-D__TARGET_ARCH_${TARGET_ARCH}`, `-ffile-prefix-map=${include}/=`, "-I", include);
  await runTool([clang, ...flags, "-c", source, "-o", object], workshop);
  // The kernel never sees what is stripped; the object is only larger with it.
  if (llvmStrip !== undefined) await runTool([llvmStrip, "-g", object], workshop);
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
async function runTool(command: readonly string[], { include, stop }: Workshop): Promise<void> {
  const [tool, ...args] = command;
  stop.throwIfAborted();
  const { success, signal, stderr } = await new Deno.Command(tool, { args, signal: stop }).output();
  const output = new TextDecoder().decode(stderr);
  // LLVM takes a full disk for a fault of its own, and shows its stack.
  const isFull = output.includes(NO_ROOM);
  const told = isFull ? output.split(LLVM_FAULT)[0] : output;
  const messages = told.trimEnd().replaceAll(`${include}/`, "");
  // Tabs are in the lines of source that the compiler quotes.
  if (messages !== "") writeNotice(messages.replaceAll("\t", "    "));
  if (success) return;
  const name = tool.slice(tool.lastIndexOf("/") + 1);
  if (signal === null) {
    throw new FormatError(`Cannot build: ${name} failed`, {
      hint: isFull ? "the disk is full" : "mend the source and build again",
    });
  }
  throw new FormatError(`Cannot build: ${name} was ended by ${signal}`, {
    hint: "build again; the kernel sends SIGKILL when memory has run out",
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
