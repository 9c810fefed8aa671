/** What the machine refuses: a port in use, no root, another kernel's BTF. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertMatch } from "@std/assert";
import { assertOneError, runCase, testWith } from "./cases.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { ChildProcess, runTool, type SpawnOptions, startKmeter } from "./kmeter_process.ts";
import { kmeterCommand } from "./kmeter_command.ts";
import { Sandbox } from "./sandbox.ts";

testWith("a port in use: nothing is loaded for it", ["root"], async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await runCase({
    name: "port in use",
    run: ["run", "trace_exec", "--listen", `127.0.0.1:${port}`, "-t", "2"],
    expect: {
      code: 1,
      stdout: "",
      stderr: new RegExp(
        `^error: Cannot serve metrics on 127\\.0\\.0\\.1:${port}: EADDRINUSE from bind\nhint: another process`,
      ),
    },
    check: ({ stderr }) => assertOneError(stderr),
  });
});

testWith("an address that no interface has", ["root"], () =>
  runCase({
    name: "no such address",
    run: ["run", "trace_exec", "--listen", "192.0.2.1:2224", "-t", "2"],
    expect: {
      code: 1,
      stdout: "",
      stderr: /^error: Cannot serve metrics on 192\.0\.2\.1:2224: EADDRNOTAVAIL from bind\nhint: /,
    },
    check: ({ stderr }) => assertOneError(stderr),
  }));

testWith("a file that is no BTF for --btf", ["root"], () =>
  runCase({
    name: "--btf",
    run: ["run", "trace_exec", "--btf", "/etc/passwd", "-t", "2"],
    expect: {
      code: 1,
      stdout: "",
      stderr: /Cannot load trace_exec into the kernel[^]*\nhint: what --btf names /,
    },
    check: ({ stderr }) => assertOneError(stderr),
  }));

testWith("a file that Deno does not open", ["root"], async () => {
  const named = [["run", "/dev/shm"], ["run", "trace_exec", "--btf", "/proc/none"], [
    "inspect",
    "/sys",
  ]];
  const files = [["--libbpf", "/dev/shm"], ["--metrics", "--web.config.file", "/dev/shm/none"]];
  for (const run of [...named, ...files.map((words) => ["run", "trace_exec", ...words])]) {
    await runCase({
      name: run.join(" "),
      run,
      expect: {
        code: /--btf/.test(run.join(" ")) ? 2 : 1,
        stdout: "",
        stderr: run.includes("--btf")
          ? /^error: --btf "\/proc\/none": there is no such file\n/
          : /^error: Requires all access to "\/\S+"\nhint: kmeter opens no file that is named to it below /,
      },
      check: ({ stderr }) => assertOneError(stderr),
    });
  }
});

const NOBODY = 65534;

/** A user who may read all files, so that it matters not where the checkout lies, but may do nothing else. */
const asNobody = [
  "setpriv",
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  "--clear-groups",
  "--inh-caps=-all,+dac_read_search",
  "--ambient-caps=-all,+dac_read_search",
  "--bounding-set=-all,+dac_read_search",
];

/** Deno wants a cache that it can write. */
async function nobodysCache(sandbox: Sandbox): Promise<SpawnOptions> {
  const { stdout } = await runTool([Deno.execPath(), "info", "--json"]);
  await runTool(["cp", "-r", `${JSON.parse(stdout).denoDir}/npm`, sandbox.folder]);
  await runTool(["chown", "-R", `${NOBODY}:${NOBODY}`, sandbox.folder]);
  return { prefix: asNobody, env: { DENO_DIR: sandbox.folder, HOME: sandbox.folder } };
}

testWith("without root: run says so, what only reads works", ["root"], async () => {
  using sandbox = new Sandbox();
  const options = await nobodysCache(sandbox);
  await runCase({
    name: "run",
    run: ["run", "trace_exec", "--listen=127.0.0.1:0", "-t", "2"],
    options,
    expect: {
      code: 1,
      stdout: "",
      stderr:
        /^error: Cannot load eBPF programs: this process lacks CAP_BPF and CAP_PERFMON\nhint: run it with sudo/,
    },
    check: ({ stderr }) => assertOneError(stderr),
  });
  await runCase({
    name: "a mistake is told before the lack of root",
    run: ["run", "trace_exec", "--output", "jsn"],
    options,
    expect: { code: 2, stdout: "", stderr: /^error: --output "jsn"/ },
  });
  for (const run of [["--help"], ["version"], ["list"], ["inspect", "trace_exec"]]) {
    await runCase({
      name: run.join(" "),
      run,
      options,
      expect: { code: 0, stdout: /./, stderr: "" },
    });
  }
  await runCase({
    name: "doctor",
    run: ["doctor"],
    options,
    expect: {
      code: 1,
      stdout:
        /^ {2}FAIL {2}privileges +lacks CAP_BPF, .*\n +lacks CAP_PERFMON, .*\n +hint: run with sudo/m,
    },
    timeoutMs: 30_000,
  });
  const capable = asNobody.map((argument) => argument.replace(/(?<=-all.*)$/, ",+bpf,+perfmon"));
  await using doctor = startKmeter(["doctor"], { ...options, prefix: capable });
  // With the libbpf of Debian 12 trace_oomkill needs more: CAP_SYS_ADMIN, to look at modules.
  const { stdout } = await doctor.finish({ timeoutMs: 30_000 });
  assertMatch(stdout, /^ {2}ok +privileges +CAP_BPF and CAP_PERFMON$/m);
  assertMatch(stdout, /^ {2}ok +profile_runqlat +loads and attaches/m);
});

testWith("a command that is killed leaves nothing loaded", ["root"], async () => {
  const before = await listKernelObjects();
  await using kmeter = new ChildProcess([...kmeterCommand("run"), "run", "trace_exec"]);
  const [header] = await kmeter.waitFor("stdout", /^COMM.*/);
  assertMatch(header, /PID/);
  kmeter.kill("SIGKILL");
  await kmeter.finish();
  await assertNothingLeft(before);
});
