/** dist/kmeter is one file that needs nothing and trusts nothing around it. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { runCase, testCases, testWith } from "../e2e/cases.ts";
import { kmeterCommand, packedProgram } from "../e2e/kmeter_command.ts";
import { type Outcome, runTool, startKmeter } from "../e2e/kmeter_process.ts";
import { Sandbox } from "../e2e/sandbox.ts";

/** A run that ends by itself, having loaded and counted. */
const SHORT_RUN = [
  "run",
  "trace_exec",
  ...["-o", "none", "--listen", "127.0.0.1:0", "--timeout", "1"],
];
const SHORT_RUN_ENDS = { code: 0, stdout: "", stderr: /^trace_exec: metrics at http:\S+\n$/ };

/** What a stranger may have left in the folder where kmeter is started, or in HOME. */
const STRANGE_FILES = {
  "deno.json": `{ "imports": { "x": `,
  "deno.jsonc": `{ "preload": ["./evil.js"], "nodeModulesDir": "auto" }`,
  "deno.lock": "{}}",
  "package.json": `{ "type": "commonjs", "dependencies": { "prom-client": "file:./evil" } `,
  ".npmrc": "registry=http://127.0.0.1:1/\nbroken[",
  ".env": "KMETER_LIBBPF=/evil.so",
  "tsconfig.json": "not json",
  "kmeter.js": "throw new Error('evil')",
  "libbpf.so.1": "not a library",
  "node_modules/prom-client/package.json": "evil",
  "gadgets/trace_exec/gadget.yaml": "evil",
};

const STRANGE_VARIABLES = {
  DENO_CERT: "/evil.pem",
  DENO_COMPAT: "1",
  DENO_CONDITIONS: "evil",
  DENO_EXTRA_CA_CERTS: "/evil.pem",
  DENO_KV_ACCESS_TOKEN: "evil",
  DENO_PERMISSION_BROKER_PATH: "/evil.sock",
  DENO_TLS_CA_STORE: "evil",
  DENO_TRACE_PERMISSIONS: "1",
  DENO_UNSTABLE_CONTROL_SOCK: "unix:/evil.sock",
  DENO_V8_FLAGS: "--evil",
  NODE_CHANNEL_FD: "3",
  NODE_DEBUG: "*",
  NODE_EXTRA_CA_CERTS: "/evil.pem",
  NODE_OPTIONS: "--require /evil.cjs",
  OTEL_DENO: "true",
  COMPLETE: "bash",
};

async function runKmeter(...parameters: Parameters<typeof startKmeter>): Promise<Outcome> {
  await using kmeter = startKmeter(...parameters);
  return await kmeter.finish();
}

/** Commands that prepare what only kmeter will see, and then become it. */
function within(namespaces: readonly string[], preparation: string): readonly string[] {
  return ["unshare", ...namespaces, "sh", "-c", `${preparation} && exec "$@"`, "sh"];
}

testWith("ps and /proc call it kmeter, with the arguments of its user", ["root"], async () => {
  const args = [
    "run",
    "trace_exec",
    "--listen",
    "127.0.0.1:0",
    "-o",
    "none",
    "--filter",
    "pid > 0",
  ];
  await using kmeter = startKmeter(args);
  await kmeter.waitFor("stderr", /metrics at/);
  const read = (name: string) => Deno.readTextFileSync(`/proc/${kmeter.pid}/${name}`);
  assertEquals(read("comm"), "kmeter\n");
  const [program, ...seen] = read("cmdline").split("\0").slice(0, -1);
  assertMatch(program, /\/kmeter$/);
  assertEquals(seen, args);
  kmeter.kill("SIGTERM");
  assertEquals((await kmeter.finish()).code, 0);
});

testWith("libbpf, gadgets and headers come from the program", [], async () => {
  const { stdout } = await runKmeter(["version"], { cwd: "/" });
  assertMatch(stdout, /^libbpf v\S+ \(shipped\)$/m);
  const list = await runKmeter(["list"], { cwd: "/" });
  assertMatch(list.stdout, /^trace_exec +\S/m);
});

testWith("a stranger's variables change nothing and reach nothing", [], async () => {
  using sandbox = new Sandbox();
  const plain = await runKmeter(["version"]);
  const env = { ...STRANGE_VARIABLES, DENO_DIR: sandbox.path("deno"), NO_COLOR: "1" };
  assertEquals(await runKmeter(["version"], { env }), plain);
  assertEquals([...Deno.readDirSync(sandbox.folder)], []);
});

testWith("no variable at all is enough", [], async () => {
  const outcome = await runKmeter(["version"], { prefix: ["env", "-i"] });
  assertEquals(outcome, await runKmeter(["version"]));
});

testWith("a stranger's files around it change nothing", ["root"], async () => {
  using sandbox = new Sandbox();
  for (const [name, content] of Object.entries(STRANGE_FILES)) sandbox.write(name, content);
  const options = { cwd: sandbox.folder, env: { HOME: sandbox.folder } };
  assertEquals(await runKmeter(["version"], options), await runKmeter(["version"]));
  await runCase({ name: "run", run: SHORT_RUN, options, expect: SHORT_RUN_ENDS });
  const names = [...Deno.readDirSync(sandbox.folder)].map(({ name }) => name).sort();
  const before = Object.keys(STRANGE_FILES).map((name) => name.replace(/\/.*/, ""));
  assertEquals(names, before.sort());
});

testWith("a run writes no file", ["root"], async () => {
  using sandbox = new Sandbox();
  const { folder } = sandbox;
  const env = { HOME: folder, TMPDIR: folder, XDG_CACHE_HOME: folder, XDG_DATA_HOME: folder };
  await runCase({
    name: "run",
    run: SHORT_RUN,
    options: { cwd: folder, env },
    expect: SHORT_RUN_ENDS,
  });
  assertEquals([...Deno.readDirSync(folder)], []);
});

testCases([
  {
    name: "it runs on a read-only file system",
    requires: ["root"],
    run: SHORT_RUN,
    options: { prefix: within(["--mount"], "mount -o remount,bind,ro /") },
    expect: SHORT_RUN_ENDS,
  },
  {
    name: "it runs where HOME and TMPDIR allow no execution",
    requires: ["root"],
    run: SHORT_RUN,
    options: {
      prefix: within(["--mount"], "mount -t tmpfs -o noexec none /mnt && cd /mnt"),
      env: { HOME: "/mnt", TMPDIR: "/mnt" },
    },
    expect: SHORT_RUN_ENDS,
  },
  {
    name: "it runs where HOME is no folder",
    requires: ["root"],
    run: SHORT_RUN,
    options: { env: { HOME: "/dev/null" } },
    expect: SHORT_RUN_ENDS,
  },
  {
    name: "it runs with closed standard streams",
    requires: ["root"],
    run: SHORT_RUN,
    options: { prefix: ["sh", "-c", `exec "$@" <&- >&- 2>&-`, "sh"] },
    expect: { code: 0, stdout: "", stderr: "" },
  },
  {
    name: "it runs with 256 open files, and with what its parent left open",
    requires: ["root"],
    run: SHORT_RUN,
    options: {
      prefix: ["bash", "-c", `exec 200</dev/null 203</dev/null; ulimit -n 256; exec "$@"`, "bash"],
    },
    expect: SHORT_RUN_ENDS,
  },
  {
    name: "too few open files are one clear error",
    run: ["version"],
    options: { prefix: ["sh", "-c", `ulimit -n 128; exec "$@"`, "sh"] },
    expect: {
      code: 1,
      stdout: "",
      stderr: "error: kmeter cannot keep its files open\n" +
        "hint: allow 256 open files at least: ulimit -n 1024\n",
    },
  },
  {
    name: "arguments that look like options of Deno are kmeter's",
    run: ["--v8-flags=--help"],
    expect: { code: 2, stdout: "", stderr: /^error: There is no command "--v8-flags=--help"\n/ },
  },
  {
    name: "arguments with spaces, quotes and nothing in them stay one each",
    run: ["run", `a "b"  c`, ""],
    expect: { code: 2, stdout: "", stderr: /^error: .* got "a "b" {2}c" and "" too\n/ },
  },
]);

// The setting belongs to a PID namespace; kernels before 6.3 have none.
testWith(
  "it runs where memory files can never be executed",
  ["root", "/proc/sys/vm/memfd_noexec"],
  async () => {
    const prefix = within(
      ["--pid", "--fork", "--mount-proc"],
      "echo 2 >/proc/sys/vm/memfd_noexec",
    );
    await runCase({ name: "run", run: SHORT_RUN, options: { prefix }, expect: SHORT_RUN_ENDS });
  },
);

testWith("any user can run what needs no privilege", ["root"], async () => {
  using sandbox = new Sandbox();
  // The folder of the checkout may be root's alone.
  Deno.chmodSync(sandbox.folder, 0o755);
  await runTool(["cp", packedProgram(), sandbox.path("kmeter")]);
  const prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const { stdout } = await runTool([...prefix, sandbox.path("kmeter"), "version"], { cwd: "/" });
  assertEquals(stdout, (await runKmeter(["version"])).stdout);
});

testWith("what it starts has the variables of its user", [], async () => {
  using sandbox = new Sandbox();
  const clang = sandbox.write(
    "bin/clang",
    '#!/bin/sh\n/usr/bin/env >"$SEEN"\necho clang version 19.0.0\n',
  );
  Deno.chmodSync(clang, 0o755);
  sandbox.write("gadget/program.bpf.c", "int nothing;\n");
  const variables = { HOME: "/home/user", PATH: sandbox.path("bin"), SEEN: sandbox.path("seen") };
  const prefix = ["/usr/bin/env", "-i", ...Object.entries(variables).map((pair) => pair.join("="))];
  await runKmeter(["build", sandbox.path("gadget")], { prefix });
  const seen = Deno.readTextFileSync(sandbox.path("seen")).trimEnd().split("\n");
  const names = seen.map((line) => line.slice(0, line.indexOf("=")));
  assertEquals(names.filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name)).sort(), [
    ...Object.keys(variables),
  ]);
  assertEquals(seen.includes("HOME=/home/user"), true);
});

testWith("a terminal shows what a pipe does", ["/usr/bin/script"], async () => {
  const [program] = kmeterCommand();
  const { stdout } = await runTool(["script", "-qec", `${program} version`, "/dev/null"]);
  assertEquals(stdout.replaceAll("\r", ""), (await runKmeter(["version"])).stdout);
});

testWith("it is kmeter by whatever name it is called", [], async () => {
  for (const name of ["node", "dx", "denox", ""]) {
    const prefix = ["bash", "-c", 'exec -a "$0" "$@"', name];
    assertEquals(await runKmeter(["version"], { prefix }), await runKmeter(["version"]));
  }
});

testCases([{
  name: "without /proc it says so",
  requires: ["root"],
  run: ["version"],
  options: { prefix: within(["--mount"], "mount -t tmpfs none /proc") },
  expect: {
    code: 1,
    stdout: "",
    stderr: "error: kmeter needs /proc\nhint: mount -t proc proc /proc\n",
  },
}]);

testWith("strip leaves it whole", ["/usr/bin/strip"], async () => {
  using sandbox = new Sandbox();
  const stripped = sandbox.path("kmeter");
  await runTool(["strip", "-o", stripped, packedProgram()]);
  const { stdout } = await runTool([stripped, "list"], { cwd: "/" });
  assertEquals(stdout, (await runKmeter(["list"])).stdout);
});
