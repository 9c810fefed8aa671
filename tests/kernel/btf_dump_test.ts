/** The header that libbpf writes for us says the same as bpftool's. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { KERNEL_BTF_FILE, writeKernelHeader } from "../../ffi/mod.ts";
import { KernelError } from "../../src/errors.ts";
import { kernelTest } from "./harness.ts";
import { findTool, runTool } from "./oracles.ts";

const noBpftool = (): string | undefined =>
  findTool("bpftool") === undefined ? "no bpftool" : undefined;

function headerOf(btfFile: string): string {
  const headerFile = Deno.makeTempFileSync({ suffix: ".h" });
  try {
    writeKernelHeader({ btfFile, headerFile });
    return Deno.readTextFileSync(headerFile);
  } finally {
    Deno.removeSync(headerFile);
  }
}

/** What newer versions of libbpf write and older ones do not; either may have made either header. */
const OF_NEWER_LIBBPF = /(?<=\()void(?=\))| __attribute__\(\(mode\(\w+\)\)\)/g;

/** Definitions of types, without order, functions and preprocessor: a newer bpftool has its own. */
function definitionsOf(header: string): string[] {
  // Empty lines part them.
  return header.replaceAll(OF_NEWER_LIBBPF, "").split("\n\n").map((text) => text.trim())
    .filter((text) => /^(typedef|struct|union|enum)\b/.test(text));
}

kernelTest("vmlinux.h has the definitions of bpftool's, every one of them", async () => {
  const ours = definitionsOf(headerOf(KERNEL_BTF_FILE));
  const theirs = definitionsOf(
    await runTool("bpftool", ["btf", "dump", "file", KERNEL_BTF_FILE, "format", "c"]),
  );
  assert(ours.length > 5000, `only ${ours.length} definitions`);
  const known = new Set(theirs);
  assertEquals(ours.filter((text) => !known.has(text)).slice(0, 3), []);
  assertEquals(ours.length, theirs.length);
}, { probe: noBpftool });

const REFUSED: readonly [name: string, btfFile: string, headerFile: string, call: string][] = [
  ["BTF that is not there", "/nonexistent", "/dev/null", "btf__parse"],
  ["a file that is no BTF", "/etc/passwd", "/dev/null", "btf__parse"],
  ["a header in no folder", KERNEL_BTF_FILE, "/nonexistent/vmlinux.h", "fopen"],
  ["a full disk", KERNEL_BTF_FILE, "/dev/full", "fclose"],
];
for (const [name, btfFile, headerFile, call] of REFUSED) {
  kernelTest(`vmlinux.h: ${name} is one error`, () => {
    const error = assertThrows(() => writeKernelHeader({ btfFile, headerFile }), KernelError);
    assertEquals(error.call, call, error.message);
    return Promise.resolve();
  });
}
