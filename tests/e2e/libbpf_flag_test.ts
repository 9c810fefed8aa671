/** `--libbpf` and KMETER_LIBBPF: which libbpf a command uses. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert } from "@std/assert";
import { assertOneError, runCase, testCases, testWith } from "./cases.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { runTool } from "./kmeter_process.ts";
import type { Requirement } from "./requirements.ts";
import { fixtureGadget } from "./sandbox.ts";

const ABSENT = "/no/libbpf.so.1";
const COMMANDS = ["run trace_exec", "inspect trace_exec", "build mine", "doctor", "version"];

testCases([
  ...COMMANDS.map((command) => ({
    name: `kmeter ${command} --libbpf refuses a file that is not there`,
    run: [...command.split(" "), "--libbpf", ABSENT],
    expect: {
      code: 2,
      stdout: "",
      stderr: /^error: --libbpf "\/no\/libbpf\.so\.1": there is no such file\nhint: .*ldconfig -p/,
    },
  })),
  {
    name: "--libbpf with a file that is no library is one error",
    run: ["inspect", "trace_exec", "--libbpf", `${CHECKOUT}/LICENSE`],
    expect: {
      code: 1,
      stdout: "",
      stderr: /^error: Cannot open \S+LICENSE: [^:]+\nhint: --libbpf/,
    },
    check: ({ stderr }) => assertOneError(stderr),
  },
  {
    name: "KMETER_LIBBPF stands for --libbpf",
    run: ["version"],
    options: { env: { KMETER_LIBBPF: ABSENT } },
    expect: {
      code: 2,
      stdout: "",
      stderr: /^error: KMETER_LIBBPF "\/no\/libbpf\.so\.1": there is no such file\nhint: /,
    },
  },
  {
    name: "an empty KMETER_LIBBPF is as good as none",
    run: ["version"],
    options: { env: { KMETER_LIBBPF: "" } },
    expect: { code: 0, stdout: /^libbpf v\S+ \((shipped|system: \S+)\)$/m, stderr: "" },
  },
]);

const LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6";

testWith("--libbpf with another library is one error", [LIBC], () =>
  runCase({
    name: "version",
    run: ["version", "--libbpf", LIBC],
    expect: {
      code: 2,
      stdout: "",
      stderr: /^error: --libbpf ".*" is not libbpf 1\.0 or newer: .*\nhint: give the path/,
    },
  }));

const systemLibbpf = await findSystemLibbpf();

/** Where the loader would find libbpf; a usual place if it finds none. */
async function findSystemLibbpf(): Promise<Requirement> {
  const { stdout } = await runTool(["/sbin/ldconfig", "-p"]);
  return /^\s*libbpf\.so\.1 .* => (\/\S+)$/m.exec(stdout)?.[1] as Requirement | undefined ??
    "/usr/lib/libbpf.so.1";
}

testWith("--libbpf goes before KMETER_LIBBPF", [systemLibbpf], async () => {
  const path = await Deno.realPath(systemLibbpf);
  await runCase({
    name: "version",
    run: ["version", "--libbpf", systemLibbpf],
    options: { env: { KMETER_LIBBPF: ABSENT } },
    expect: { code: 0, stderr: "" },
    check: ({ stdout }) => assert(stdout.includes(` (given: ${path})\n`), stdout),
  });
});

// The filter on a stack's text makes the ingest thread open libbpf too.
testWith("a gadget runs with the libbpf that it is given", ["root", systemLibbpf], async () => {
  await runCase({
    name: "run",
    run: [
      "run",
      await fixtureGadget("sampled"),
      ...["--libbpf", systemLibbpf, "--listen", "127.0.0.1:0", "--timeout", "1"],
      ...["--filter", "stack~."],
    ],
    expect: { code: 0, stderr: /metrics at http/ },
  });
});
