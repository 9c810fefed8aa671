/** `kmeter build FOLDER`: clang → program.bpf.o. */

import { METADATA_NAME, OBJECT_NAME, parseGadget, SOURCE_NAME } from "../engine/mod.ts";
import { FormatError, UnsupportedError, UsageError } from "../errors.ts";
import { type Command, HELP_FLAG } from "./command.ts";
import { parseFlags, refuseUnknownFlags } from "./flags.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { writeNotice, writeOutput } from "./output.ts";

const FLAGS = [LIBBPF_FLAG, HELP_FLAG];

/** Newest first: the plain name may be an old one. */
const CLANG_VERSIONS = ["-21", "-20", "-19", "-18", "-17", "-16", ""];
const TARGET_ARCH = Deno.build.arch === "x86_64" ? "x86" : "arm64";

export const buildCommand: Command = {
  name: "build",
  usage: "FOLDER... [flags]",
  summary: `compile a gadget's ${SOURCE_NAME} to ${OBJECT_NAME}`,
  details: `Uses the host's clang and kmeter's own <gadget/*.h> headers. The object is checked\n` +
    `against ${METADATA_NAME} afterwards.`,
  flags: FLAGS,
  async run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    if (flags.positionals.length === 0) {
      throw new UsageError("kmeter build needs a folder", { hint: "kmeter build ./my_gadget" });
    }
    chooseLibbpf(flags);
    for (const folder of flags.positionals) requireSource(folder);
    for (const folder of flags.positionals) await buildGadget(folder);
    return 0;
  },
};

async function buildGadget(folder: string): Promise<void> {
  const include = new URL("../../gadgets/include", import.meta.url).pathname;
  await makeKernelHeader(`${include}/vmlinux.h`);
  const object = `${folder}/${OBJECT_NAME}`;
  const clang = await findTool("clang");
  await runTool(clang, [
    "-target",
    "bpf",
    "-mcpu=v3",
    "-Wall",
    "-g",
    "-O2",
    `-D__TARGET_ARCH_${TARGET_ARCH}`,
    "-I",
    include,
    "-c",
    `${folder}/${SOURCE_NAME}`,
    "-o",
    object,
  ]);
  await runTool(await findTool("llvm-strip"), ["-g", object]);
  for (const warning of parseGadget(folder, []).warnings) writeNotice(`warning: ${warning}`);
  writeOutput(`built ${object}\n`);
}

function requireSource(folder: string): void {
  const source = `${folder}/${SOURCE_NAME}`;
  if (!exists(source)) {
    throw new UsageError(`Cannot build "${folder}": there is no ${source}`, {
      hint: `a gadget's folder holds ${SOURCE_NAME} and ${METADATA_NAME}`,
    });
  }
}

/** `vmlinux.h` of the running kernel, made once. */
async function makeKernelHeader(file: string): Promise<void> {
  if (exists(file)) return;
  const bpftool = ["/usr/sbin/bpftool", "/usr/bin/bpftool", "/sbin/bpftool"].find(exists) ??
    "bpftool";
  const output = await spawn(bpftool, [
    "btf",
    "dump",
    "file",
    "/sys/kernel/btf/vmlinux",
    "format",
    "c",
  ]);
  if (output === undefined || !output.success) {
    throw new UnsupportedError("Cannot make vmlinux.h: bpftool is missing or failed", {
      feature: "bpftool",
      hint: "apt-get install bpftool",
    });
  }
  Deno.writeFileSync(file, output.stdout);
}

async function findTool(tool: string): Promise<string> {
  for (const version of CLANG_VERSIONS) {
    const output = await spawn(tool + version, ["--version"]);
    if (output?.success) return tool + version;
  }
  throw new UnsupportedError(`Cannot build: there is no ${tool}`, {
    feature: tool,
    hint: "apt-get install clang-19 llvm-19",
  });
}

async function runTool(tool: string, args: readonly string[]): Promise<void> {
  const output = await spawn(tool, args);
  const messages = new TextDecoder().decode(output?.stderr).trimEnd();
  // Tabs are in the lines of source that the compiler quotes.
  if (messages !== "") writeNotice(messages.replaceAll("\t", "    "));
  if (output?.success) return;
  throw new FormatError(`Cannot build: ${tool} failed`, {
    hint: "mend the source and build again",
  });
}

/** Runs a tool; undefined if there is none of that name. */
async function spawn(
  tool: string,
  args: readonly string[],
): Promise<Deno.CommandOutput | undefined> {
  try {
    return await new Deno.Command(tool, { args: [...args], stdout: "piped", stderr: "piped" })
      .output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
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
