/** The way of a gadget's author, with nothing on the machine but kmeter and clang: init, build, run. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneError, type CommandCase, runCase, testWith } from "./cases.ts";
import { NamedProgram, Sandbox } from "./sandbox.ts";
import { ANY_PORT, pageWith, samplesOf, servedAt } from "./scrape.ts";

const KERNEL_BTF = "/sys/kernel/btf/vmlinux";
/** Where Debian keeps the programs of a clang. */
const CLANG =
  [21, 20, 19, 18, 17, 16].map((version) => `/usr/lib/llvm-${version}/bin/clang` as const)
    .find(isFile) ?? "/usr/lib/llvm-19/bin/clang";
const BUILD_TIMEOUT_MS = 60_000;

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A machine of an author: programs on PATH, temporary files in a folder of their own. */
class Machine implements Disposable {
  readonly sandbox = new Sandbox();
  readonly env: Readonly<Record<string, string>>;

  /** @param clang what the only program on PATH does, as a shell script; absent: there is none. */
  constructor(clang?: string) {
    Deno.mkdirSync(this.sandbox.path("bin"));
    Deno.mkdirSync(this.sandbox.path("tmp"));
    if (clang !== undefined) {
      Deno.chmodSync(this.sandbox.write("bin/clang", `#!/bin/sh\n${clang}\n`), 0o755);
    }
    this.env = { PATH: this.sandbox.path("bin"), TMPDIR: this.sandbox.path("tmp") };
  }

  /** Runs a command of kmeter on this machine, and checks that its temporary files are gone. */
  async run(run: readonly string[], rest: Omit<CommandCase, "name" | "run">): Promise<void> {
    await runCase({
      name: run.join(" "),
      run,
      options: { cwd: this.sandbox.folder, env: this.env },
      timeoutMs: BUILD_TIMEOUT_MS,
      ...rest,
    });
    assertEquals(this.names("tmp"), []);
  }

  names(folder: string): string[] {
    return [...Deno.readDirSync(this.sandbox.path(folder))].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    this.sandbox[Symbol.dispose]();
  }
}

const SOURCES = ["README.md", "gadget.yaml", "program.bpf.c"];

testWith(
  "what init makes builds and counts, with clang alone on PATH",
  ["root", KERNEL_BTF, CLANG],
  async () => {
    using machine = new Machine(`exec ${CLANG} "$@"`);
    using program = new NamedProgram();
    await machine.run(["init", "my_gadget"], {
      expect: {
        code: 0,
        stdout: [/^made my_gadget: /, /^ {2}kmeter build my_gadget$/m, /kmeter run my_gadget /],
        stderr: "",
      },
    });
    assertEquals(machine.names("my_gadget"), SOURCES);
    // A checkout has a vmlinux.h already; --btf has one made, as on a machine without a checkout.
    await machine.run(["build", "my_gadget/", "--btf", KERNEL_BTF], {
      expect: { code: 0, stdout: "built my_gadget/program.bpf.o\n", stderr: "" },
    });
    assertEquals(machine.names("my_gadget"), [...SOURCES, "program.bpf.o"].sort());
    await machine.run(["run", "my_gadget", ANY_PORT, "-F", `comm==${program.name}`, "-o", "json"], {
      during: async (kmeter) => {
        const address = await servedAt(kmeter);
        await program.run(3, ["a", "b"]);
        const label = `comm="${program.name}"`;
        const page = await pageWith(
          address,
          (page) => / 3$/m.test(samplesOf(page, "execs_total", label).join("\n")),
        );
        assertMatch(samplesOf(page, "arguments_total", label).join("\n"), / 9$/);
        await kmeter.waitFor("stdout", /(.*\n){3}/);
        kmeter.kill("SIGINT");
      },
      expect: { code: 0 },
      check: ({ stdout }) => {
        const rows = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
        assertEquals(
          rows.map((row) => [row.comm, row.arguments]),
          Array(3).fill([program.name, 3]),
        );
      },
    });
  },
);

testWith("the same source gives the same object, whatever temporary folder is used", [
  KERNEL_BTF,
  CLANG,
], async () => {
  using machine = new Machine(`exec ${CLANG} "$@"`);
  await machine.run(["init", "mine"], { expect: { code: 0 } });
  const objects: Uint8Array[] = [];
  for (let time = 0; time < 2; time++) {
    await machine.run(["build", "mine"], { expect: { code: 0, stderr: "" } });
    objects.push(Deno.readFileSync(machine.sandbox.path("mine/program.bpf.o")));
  }
  assertEquals(objects[0], objects[1]);
  assert(!new TextDecoder("latin1").decode(objects[0]).includes(machine.sandbox.path("tmp")));
});

testWith("a build that fails leaves the last object, and names headers as they are included", [
  CLANG,
], async () => {
  using machine = new Machine(`exec ${CLANG} "$@"`);
  const source = "#include <vmlinux.h>\nstruct task_struct { int mine; };\nint x = ;\n";
  machine.sandbox.write("mine/program.bpf.c", source);
  machine.sandbox.write("mine/program.bpf.o", "the last one");
  await machine.run(["build", "mine"], {
    expect: {
      code: 1,
      stdout: "",
      stderr: [/^mine\/program\.bpf\.c:3:9: error: /m, /^vmlinux\.h:\d+:\d+: note: previous/m],
    },
    check: ({ stderr }) => assert(!stderr.includes("kmeter_include"), stderr),
  });
  assertEquals(machine.names("mine"), ["program.bpf.c", "program.bpf.o"]);
  assertEquals(Deno.readTextFileSync(machine.sandbox.path("mine/program.bpf.o")), "the last one");
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  testWith(`${signal} ends a build and the compiler, and nothing is left`, [], async () => {
    using machine = new Machine(
      `[ "$1" = -dumpversion ] && { echo 19.1.7; exit; }; echo $$ >pid; exec /bin/sleep 60`,
    );
    machine.sandbox.write("mine/program.bpf.c", "");
    const pidFile = machine.sandbox.path("pid");
    await machine.run(["build", "mine"], {
      during: async (kmeter) => {
        while (!isFile(pidFile) || Deno.readTextFileSync(pidFile) === "") {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        kmeter.kill(signal);
      },
      expect: { code, stdout: "", stderr: "" },
      timeoutMs: 10_000,
    });
    assertEquals(machine.names("mine"), ["program.bpf.c"]);
    const compiler = `/proc/${Deno.readTextFileSync(pidFile).trim()}/comm`;
    assert(!isFile(compiler) || Deno.readTextFileSync(compiler) !== "sleep\n", "it still sleeps");
  });
}

const NO_COMPILER: readonly [name: string, clang: string | undefined, error: RegExp][] = [
  [
    "no clang",
    undefined,
    /^error: Cannot build: there is no clang 16 or newer\nhint: apt-get install clang/,
  ],
  [
    "an old clang",
    "echo 14.0.6",
    /^error: Cannot build: .*\/bin\/clang is version 14\.0\.6, wanted 16 or newer\nhint: apt-get install clang/,
  ],
];
for (const [name, clang, error] of NO_COMPILER) {
  testWith(`build with ${name} is one error that says what to install`, [], async () => {
    using machine = new Machine(clang);
    machine.sandbox.write("mine/program.bpf.c", "");
    await machine.run(["build", "mine"], {
      expect: { code: 1, stdout: "", stderr: error },
      check: ({ stderr }) => assertOneError(stderr),
    });
  });
}

const REFUSED: readonly [run: readonly string[], error: RegExp][] = [
  [["init"], /^error: kmeter init needs a name\nhint: kmeter init my_gadget\n$/],
  [["init", "my-gadget"], /^error: Cannot name a gadget "my-gadget"\nhint: use letters/],
  [
    ["init", "trace_exec"],
    /^error: .*"trace_exec": a built-in has that name\nhint: choose another/,
  ],
  [["init", "bin"], /^error: Cannot make "bin": it exists, and holds clang\nhint: choose another/],
  [["init", "bin/clang"], /^error: Cannot make "bin\/clang": .*\nhint: choose a place/],
  [["init", "one", "two"], /^error: kmeter init takes one name, and got "one" and "two"\nhint: /],
  [
    ["build", "bin", "--btf", "/nonexistent"],
    /^error: --btf "\/nonexistent": there is no such file/,
  ],
];
for (const [run, error] of REFUSED) {
  testWith(`wrong usage: kmeter ${run.join(" ")}`, [], async () => {
    using machine = new Machine("exit 1");
    await machine.run(run, {
      expect: { code: 2, stdout: "", stderr: error },
      check: ({ stderr }) => assertOneError(stderr),
    });
    assertEquals(machine.names("."), ["bin", "tmp"]);
  });
}

testWith("an object that kmeter cannot use does not replace the last one", [CLANG], async () => {
  using machine = new Machine(`exec ${CLANG} "$@"`);
  await machine.run(["init", "mine"], { expect: { code: 0 } });
  await machine.run(["build", "mine"], { expect: { code: 0 } });
  const object = machine.sandbox.path("mine/program.bpf.o");
  const before = Deno.readFileSync(object);
  const source = machine.sandbox.path("mine/program.bpf.c");
  const text = Deno.readTextFileSync(source);
  Deno.writeTextFileSync(source, text.replace(/(GADGET_TRACER\(.*, )\w+\)/, "$1absent)"));
  await machine.run(["build", "mine"], {
    expect: { code: 1, stdout: "", stderr: /names the struct "absent"/ },
  });
  assertEquals(Deno.readFileSync(object), before);
  assertEquals(machine.names("mine"), [
    "README.md",
    "gadget.yaml",
    "program.bpf.c",
    "program.bpf.o",
  ]);
});
