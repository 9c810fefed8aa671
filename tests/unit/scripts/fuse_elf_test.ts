/** Packs a small C program as if it were the runtime, and looks at what it sees when it starts. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fuseElf, type Payload } from "../../../scripts/compile/fuse_elf.ts";
import { buildEntry } from "../../../scripts/compile/pack.ts";
import { runCommand } from "../../../scripts/compile/run_command.ts";
import { FormatError, UnsupportedError } from "../../../src/errors.ts";

const CHECKOUT = decodeURIComponent(new URL("../../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);
const SOURCE = `${CHECKOUT}/tests/fixtures/programs/show_start.c`;
const PT_NOTE = 4;

const missing = ["cc", "objcopy", "strip"].find((tool) => !isInstalled(tool));

/** Tests that need a C compiler; scripts/setup --tests installs it. */
function testWithCompiler(name: string, fn: (workshop: Workshop) => Promise<void>): void {
  if (missing !== undefined) {
    Deno.stdout.writeSync(new TextEncoder().encode(`skip: ${name}: no ${missing}\n`));
  }
  Deno.test({
    name,
    ignore: missing !== undefined,
    async fn() {
      using workshop = new Workshop();
      await fn(workshop);
    },
  });
}

function isInstalled(tool: string): boolean {
  try {
    return new Deno.Command(tool, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A folder with compiled programs. */
class Workshop implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "kmeter_fuse_" });

  /** Compiles a program. @param source path, or C code. */
  async compile(source: string, ...flags: string[]): Promise<Uint8Array<ArrayBuffer>> {
    let path = source;
    if (!source.endsWith(".c")) {
      path = `${this.folder}/source.c`;
      Deno.writeTextFileSync(path, source);
    }
    await runCommand(["cc", "-O2", ...flags, "-o", `${this.folder}/compiled`, path]);
    return Deno.readFileSync(`${this.folder}/compiled`);
  }

  /** A program whose `environ` the loader fills in by GLOB_DAT, as in Deno. */
  compileRuntime(): Promise<Uint8Array<ArrayBuffer>> {
    return this.compile(SOURCE, "-fPIC", "-pie", "-Wno-unused-result");
  }

  async payload(parts: Partial<Payload> = {}): Promise<Payload> {
    return {
      entryCode: await buildEntry(CHECKOUT, this.folder),
      args: ["name", "run", "--quiet"],
      extraArgs: [["make", "--write"], ["start", "--run"], ["make", "--run"]],
      module: "/module",
      environment: ["MADE=here"],
      droppedVariables: ["DENO_", "EXACT="],
      firstFd: 50,
      files: [new TextEncoder().encode("first"), new TextEncoder().encode("second")],
      ...parts,
    };
  }

  /** Writes the packed runtime. @returns its path. */
  async fuse(parts: Partial<Payload> = {}): Promise<string> {
    const path = `${this.folder}/fused`;
    const program = fuseElf(await this.compileRuntime(), await this.payload(parts));
    Deno.writeFileSync(path, program, { mode: 0o755 });
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

async function run(command: readonly string[], env: Record<string, string> = {}) {
  const [program, ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env, clearEnv: true })
    .output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout).split("\n"), stderr: decoder.decode(stderr) };
}

const SEALED = "closed by exec, seals 0xf, sealed";
/** The kernel adds F_SEAL_EXEC to memory files that can never be executed: Linux 6.3 and newer. */
const EXEC_SEALED = "closed by exec, seals 0x2f, sealed";

testWithCompiler(
  "a packed program sees its arguments and variables around the user's",
  async (workshop) => {
    const program = await workshop.fuse();
    // Deno passes variables on in no order.
    const variables = ["KEPT=1", "DENO_DIR=/x", "EXACT=2", "EXACTLY=3"];
    const { code, stdout, stderr } = await run(
      ["/usr/bin/env", "-i", ...variables, program, "a b", "", "--c"],
    );
    assertEquals(stderr, "");
    assertEquals(code, 42);
    assertEquals(stdout.filter((line) => !line.startsWith("file ")), [
      "argument name",
      "argument run",
      "argument --quiet",
      "argument /module",
      "argument a b",
      "argument ",
      "argument --c",
      "end of arguments: there",
      "variable KEPT=1",
      "variable EXACTLY=3",
      "variable MADE=here",
      "environ: as given to main",
      "page size: right",
      "random bytes: there",
      "stack: aligned",
      "ADDED: later",
      "",
    ]);
  },
);

testWithCompiler("the first argument, and no other, adds what stands with it", async (workshop) => {
  const program = await workshop.fuse({ args: ["name"] });
  for (
    const [given, added] of [
      [["make", "x"], ["--write", "--run"]],
      [["start"], ["--run"]],
      [["x", "make"], []],
      [["mak"], []],
      [["makes"], []],
      [[""], []],
      [["--run"], []],
    ]
  ) {
    const { stdout } = await run([program, ...given]);
    assertEquals(
      stdout.filter((line) => line.startsWith("argument ")),
      ["name", ...added, "/module", ...given].map((argument) => `argument ${argument}`),
    );
  }
});

testWithCompiler(
  "a packed program starts without any variable and without payload lists",
  async (workshop) => {
    const program = await workshop.fuse({
      args: ["name"],
      extraArgs: [],
      environment: [],
      droppedVariables: [],
      files: [],
    });
    const { code, stdout } = await run([program]);
    assertEquals(code, 42);
    assertEquals(stdout.slice(0, 4), [
      "argument name",
      "argument /module",
      "end of arguments: there",
      "environ: as given to main",
    ]);
  },
);

testWithCompiler(
  "files are there from the first descriptor on, sealed, and not passed on",
  async (workshop) => {
    const large = new Uint8Array(3_000_001).fill(0x61);
    const program = await workshop.fuse({
      files: [new TextEncoder().encode("first"), new Uint8Array(0), large],
    });
    // The second descriptor is in use: what the parent left open gives way.
    const script = `exec 51</dev/zero; exec "$1"`;
    const { stdout } = await run(["/bin/bash", "-c", script, "bash", program]);
    const files = stdout.filter((line) => line.startsWith("file "))
      .map((line) => line.replace(EXEC_SEALED, SEALED));
    assertEquals(files, [
      `file 50: 5 bytes, ${SEALED}: first`,
      `file 51: 0 bytes, ${SEALED}: `,
      `file 52: 3000001 bytes, ${SEALED}: ${"a".repeat(63)}`,
    ]);
  },
);

testWithCompiler(
  "a limit of open files below the descriptors is an error with a hint",
  async (workshop) => {
    const script = `ulimit -n 40; exec "$1"`;
    const { code, stderr } = await run(["/bin/bash", "-c", script, "bash", await workshop.fuse()]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "error: kmeter cannot keep its files open\nhint: ");
  },
);

testWithCompiler("strip leaves a packed program what it needs", async (workshop) => {
  const program = await workshop.fuse();
  const before = await run([program, "x"], { KEPT: "1" });
  await runCommand(["strip", program]);
  assertEquals(await run([program, "x"], { KEPT: "1" }), before);
});

testWithCompiler("the same payload gives the same bytes", async (workshop) => {
  const first = Deno.readFileSync(await workshop.fuse());
  using other = new Workshop();
  assertEquals(Deno.readFileSync(await other.fuse()), first);
});

testWithCompiler(
  "a runtime that is no 64-bit position-independent ELF is refused",
  async (workshop) => {
    const payload = await workshop.payload();
    const fixed = await workshop.compile(SOURCE, "-no-pie", "-Wno-unused-result");
    const narrow = await workshop.compileRuntime();
    narrow[4] = 1; // EI_CLASS: ELFCLASS32
    const script = new TextEncoder().encode("#!/bin/sh\n" + "true\n".repeat(100));
    for (const runtime of [fixed, narrow, script, new Uint8Array(0)]) {
      assertThrows(() => fuseElf(runtime, payload), FormatError, "position-independent");
    }
  },
);

testWithCompiler("a runtime without a header to give away is refused", async (workshop) => {
  const runtime = await workshop.compileRuntime();
  const view = new DataView(runtime.buffer);
  const first = Number(view.getBigUint64(32, true)); // e_phoff
  for (let index = 0; index < view.getUint16(56, true); index++) { // e_phnum
    const at = first + 56 * index;
    if (view.getUint32(at, true) === PT_NOTE) view.setUint32(at, 0, true);
  }
  const payload = await workshop.payload();
  const error = assertThrows(() => fuseElf(runtime, payload), UnsupportedError, "no notes");
  assertEquals(error.feature, "PT_NOTE");
});

testWithCompiler("a runtime that does not use libc's environ is refused", async (workshop) => {
  const runtime = await workshop.compile("int main(void) { return 0; }\n", "-fPIC", "-pie");
  const payload = await workshop.payload();
  const error = assertThrows(() => fuseElf(runtime, payload), UnsupportedError, "environ");
  assertEquals(error.feature, "GLOB_DAT environ");
});
