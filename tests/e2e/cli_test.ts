/** Commands that load nothing: help, versions, lists, descriptions, and wrong usage. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneError, type CommandCase, runCase, testCases, testWith } from "./cases.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { ChildProcess } from "./kmeter_process.ts";
import { fixtureGadget, Sandbox } from "./sandbox.ts";

const COMMANDS = [
  "run",
  "list",
  "inspect",
  "init",
  "build",
  "dashboard",
  "rules",
  "doctor",
  "version",
];
const BUILT_IN = [
  "profile_blockio",
  "profile_runqlat",
  "top_syscalls",
  "trace_exec",
  "trace_oomkill",
  "trace_open",
  "trace_signal",
  "trace_tcp",
];

/** A command line that is wrong: one error on stderr, nothing on stdout, exit code 2. */
function usageError(run: readonly string[], error: RegExp): CommandCase {
  return {
    name: `wrong usage: kmeter ${run.join(" ")}`,
    run,
    expect: { code: 2, stdout: "", stderr: error },
    check: ({ stderr }) => assertEquals(stderr.match(/^error: /gm)?.length, 1, stderr),
  };
}

testCases([
  {
    name: "--help lists every command with a summary",
    run: ["--help"],
    expect: {
      code: 0,
      stdout: COMMANDS.map((command) => new RegExp(`^  ${command} +\\S.{10,}$`, "m")),
      stderr: "",
    },
  },
  {
    name: "no command shows the overview and exits with 2",
    run: [],
    expect: { code: 2, stdout: "", stderr: /^Usage: kmeter COMMAND/m },
  },
  ...[["help", "run"], ["run", "--help"], ["run", "trace_exec", "-h"]].map((run) => ({
    name: `kmeter ${run.join(" ")} describes the flags`,
    run,
    expect: {
      code: 0,
      stdout: [
        /^Usage: kmeter run GADGET \[flags\]$/m,
        ...["metrics", "listen", "output", "fields", "filter", "annotate", "timeout", "dump-code"]
          .map((flag) => new RegExp(`^ .*--${flag}\\b`, "m")),
      ],
      stderr: "",
    },
  })),
  ...COMMANDS.map((command) => ({
    name: `kmeter ${command} --help needs no root and no gadget`,
    run: [command, "--help"],
    expect: { code: 0, stdout: new RegExp(`^Usage: kmeter ${command}`, "m"), stderr: "" },
  })),
  {
    name: "version names kmeter, libbpf, deno and the kernel",
    run: ["version"],
    expect: {
      code: 0,
      stdout:
        /^kmeter \S+\nlibbpf v\d+\.\d+ \((shipped|system: \S+)\)\ndeno 2\.\d+\.\d+\nkernel \d+\..+\n$/,
      stderr: "",
    },
    check: ({ stdout }) => {
      if (Deno.env.has("KMETER_BIN")) return;
      const { version } = JSON.parse(Deno.readTextFileSync(`${CHECKOUT}/deno.json`));
      assert(stdout.startsWith(`kmeter ${version}+checkout\n`), stdout);
    },
  },
  {
    name: "list has one line for each built-in gadget",
    run: ["list"],
    expect: { code: 0, stderr: "" },
    check: ({ stdout }) => {
      const names = stdout.trimEnd().split("\n").map((line) => /^(\S+)  +\S.+$/.exec(line)?.[1]);
      assertEquals(names, BUILT_IN);
    },
  },
  usageError(["rnu"], /^error: There is no command "rnu"\nhint: did you mean "run"\?/),
  usageError(["help", "rnu"], /^error: There is no command "rnu"\nhint: did you mean "run"\?/),
  usageError(["run"], /^error: kmeter run needs a gadget\nhint: .*kmeter list/),
  usageError(["inspect"], /^error: kmeter inspect needs a gadget\nhint: /),
  usageError(["build"], /^error: kmeter build needs a folder\nhint: /),
  usageError(
    ["run", "trace_exce"],
    /^error: There is no gadget "trace_exce".*\nhint: did you mean "trace_exec"\?/,
  ),
  usageError(["run", "trace_exec", "more"], /^error: .*takes one gadget.*"trace_exec" and "more"/),
  usageError(
    ["run", "trace_exec", "--metric"],
    /^error: There is no flag --metric\nhint: did you mean "metrics"\?/,
  ),
  usageError(
    ["run", "trace_exec", "-o", "jsn"],
    /^error: --output "jsn".*\nhint: did you mean "json"\?/,
  ),
  usageError(["run", "trace_exec", "--timeout"], /^error: --timeout needs a value\nhint: /),
  usageError(
    ["run", "trace_exec", "--timeout", "soon"],
    /^error: --timeout "soon": wanted a duration\nhint: write 500ms/,
  ),
  usageError(
    ["run", "trace_exec", "--listen", "2224"],
    /^error: Cannot listen on "2224".*\nhint: write --listen 127\.0\.0\.1:2224/,
  ),
  usageError(
    ["run", "trace_exec", "--pid", "me"],
    /^error: Cannot set --pid to "me": expected an integer.*\nhint: /,
  ),
  usageError(
    ["run", "trace_exec", "--map-fetch-count", "-1"],
    /^error: --map-fetch-count/,
  ),
  usageError(
    ["run", "top_syscalls", "--map-fetch-interval", "0"],
    /^error: --map-fetch-interval 0/,
  ),
  usageError(
    ["run", "top_syscalls", "--map-fetch-interval", "sycalls:1s"],
    /^error: .*names no data source\nhint: did you mean "syscalls"\?/,
  ),
  usageError(
    ["run", "trace_exec", "--fields", "argss"],
    /^error: Unknown field "argss".*\nhint: did you mean "args"\?/,
  ),
  usageError(
    ["run", "trace_exec", "--filter", "proc.conm==sh"],
    /^error: Filter "proc.conm==sh": no field "proc.conm"\nhint: did you mean "proc.comm"\?/,
  ),
  usageError(
    ["run", "trace_exec", "--filter", "proc.pid==me"],
    /^error: Filter .*wanted an integer/,
  ),
  usageError(["list", "more"], /^error: kmeter list takes no arguments.*"more"/),
  usageError(["version", "--verbose"], /^error: There is no flag --verbose\nhint: /),
  {
    name: "inspect works without being told of annotations twice: repeated --annotate adds up",
    run: [
      "inspect",
      "trace_exec",
      "--annotate",
      "exec.args_count:metrics.type=counter",
      "--annotate",
      "exec.args_count:metrics.name=arguments,exec.args_count:metrics.unit=By",
      "--annotate",
      "exec.proc.pid:metrics.type=key",
    ],
    expect: {
      code: 0,
      stdout: /^ {2}arguments_bytes_total\{comm, proc_pid, error\} +counter +from args_count/m,
    },
  },
]);

testWith("inspect of a fixture is as agreed", [], async () => {
  const golden = `${CHECKOUT}/tests/golden/e2e/inspect_uid_execs.txt`;
  await runCase({
    name: "inspect",
    run: ["inspect", await fixtureGadget("uid_execs")],
    expect: { code: 0, stderr: "" },
    check: ({ stdout }) => {
      if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(golden, stdout);
      assertEquals(stdout, Deno.readTextFileSync(golden));
    },
  });
});

testWith("every built-in gadget can be inspected, and says what metrics it makes", [], async () => {
  for (const name of BUILT_IN) {
    await runCase({
      name,
      run: ["inspect", name],
      expect: {
        code: 0,
        stdout: [new RegExp(`^${name}: \\S`), /^data source \S+ \(/m, /^ {2}METRIC +TYPE +FROM/m],
        stderr: "",
      },
    });
  }
});

testWith("doctor tells of every limit and every built-in gadget", ["root"], async () => {
  await runCase({
    name: "doctor",
    run: ["doctor"],
    expect: {
      code: 0,
      stdout: [
        /^kernel \d/,
        /^ {2}ok {4}kernel BTF/m,
        /^limits$/m,
        /^ {2}series of a data source +20000 +more go to the series otel_metric_overflow="true";/m,
        /^ {2}series of all data sources +1000000 +more go there too; --metrics-limit sets it$/m,
        /^ {2}label value +2 KiB +a longer one is cut/m,
        /^ {2}scrapes at a time +16 +more get a 503/m,
        /^ {2}warnings +100 in 10 s +more are left out/m,
        /^ {2}output on its way +1 MiB +/m,
        /^ {2}wait for who reads it +3 s +/m,
        /^ {2}commands at kmeter serve +64 +more are refused$/m,
        /^ {2}rows for one of them +4 MiB +/m,
        /^ {2}kmeter logs +200 lines +/m,
        ...BUILT_IN.map((name) => new RegExp(`^  ok    ${name} +loads and attaches`, "m")),
      ],
    },
    timeoutMs: 60_000,
  });
});

const SOURCE = `#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <gadget/macros.h>
#include <gadget/types.h>
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, gadget_counter__u32); } counts SEC(".maps");
GADGET_MAPITER(execs, counts);
SEC("raw_tp/sched_process_exec") int on_exec(void *ctx)
{
  __u32 zero = 0, *count = bpf_map_lookup_elem(&counts, &zero);
  if (count) __sync_fetch_and_add(count, 1);
  return 0;
}
char LICENSE[] SEC("license") = "GPL";
`;

testWith("build compiles a fresh folder, and what it made runs", ["root"], async () => {
  using sandbox = new Sandbox();
  sandbox.write("mine/program.bpf.c", SOURCE);
  const folder = sandbox.path("mine");
  await runCase({
    name: "run before build",
    run: ["run", folder],
    expect: { code: 2, stdout: "", stderr: /\nhint: build it first: kmeter build / },
  });
  await runCase({
    name: "build",
    run: ["build", folder],
    expect: { code: 0, stdout: `built ${folder}/program.bpf.o\n`, stderr: "" },
    timeoutMs: 60_000,
  });
  await runCase({
    name: "run",
    run: ["run", folder, "--map-fetch-count", "1", "--map-fetch-interval", "300ms"],
    expect: { code: 0, stdout: /^ *INDEX +VALUE\s*\n *0 +\d+\s*\n$/, stderr: "" },
  });
});

testWith("build shows the compiler's messages and one error", [], async () => {
  using sandbox = new Sandbox();
  sandbox.write("mine/program.bpf.c", "int x = ;\n");
  await runCase({
    name: "build",
    run: ["build", sandbox.path("mine")],
    expect: {
      code: 1,
      stdout: "",
      stderr: [
        /program\.bpf\.c:1:9: error: expected expression/,
        /^error: Cannot build: clang\S* failed\nhint: mend the source/m,
      ],
    },
    timeoutMs: 60_000,
  });
});

testWith("version --licenses prints each licence, and needs no libbpf", [], async () => {
  const files = [...Deno.readDirSync(`${CHECKOUT}/scripts/licenses`)].map(({ name }) => name);
  await runCase({
    name: "version --licenses",
    run: ["version", "--licenses"],
    options: { env: { KMETER_LIBBPF: "/no/libbpf.so.1" } },
    expect: {
      code: 0,
      stdout: [
        /^==== LICENSE: kmeter\n\n\s+Apache License\n/,
        /^prom-client 15/m,
        /^libbpf 1/m,
        /Copyright 2014, the V8 project authors/,
        /Copyright 2018-\d+ the Deno authors/,
      ],
      stderr: "",
    },
    check: ({ stdout }) =>
      assertEquals(
        [...stdout.matchAll(/^==== (\S+)$/gm)].map(([, file]) => file),
        files.sort(),
      ),
  });
});

testWith("build of a folder without a source says what belongs there", [], async () => {
  using sandbox = new Sandbox();
  await runCase({
    name: "build",
    run: ["build", sandbox.folder],
    expect: {
      code: 2,
      stdout: "",
      stderr: /there is no .*program\.bpf\.c\nhint: a gadget's folder/,
    },
    check: ({ stderr }) => assertOneError(stderr),
  });
});

testWith("scripts/kmeter passes arguments on and keeps the exit code", [], async () => {
  await using child = new ChildProcess([`${CHECKOUT}/scripts/kmeter`, "run", "a  b"]);
  const { code, stderr } = await child.finish({ timeoutMs: 60_000 });
  assertEquals(code, 2);
  assertMatch(stderr, /^error: There is no gadget "a {2}b"/m);
});
