/** `kmeter run --user`: who goes on when all is attached, with which rights, and that it still counts. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneError, runCase, testCases, testWith } from "./cases.ts";
import { needsCpuSwitch, switchCpu } from "../kernel/cpus.ts";
import { MemoryCgroup, needsMemoryCgroup } from "../kernel/memory_cgroup.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { type ChildProcess, runTool, sleep, startKmeter } from "./kmeter_process.ts";
import { fixtureGadget, NamedProgram } from "./sandbox.ts";
import { ANY_PORT, pageWith, readPage, samplesOf, servedAt } from "./scrape.ts";

const NOBODY = 65534;
const NO_CAPABILITIES = "0".repeat(16);

/** What every thread of a process without rights has in its status. */
function rightless(id: number): Readonly<Record<string, string>> {
  return {
    Uid: Array(4).fill(id).join("\t"),
    Gid: Array(4).fill(id).join("\t"),
    Groups: "",
    CapInh: NO_CAPABILITIES,
    CapPrm: NO_CAPABILITIES,
    CapEff: NO_CAPABILITIES,
    CapAmb: NO_CAPABILITIES,
    NoNewPrivs: "1",
    Seccomp: "2",
  };
}

/** Checks all threads that the process has now. @returns their names. */
function assertRightless(pid: number, id: number): string[] {
  const expected = rightless(id);
  return threadsOf(pid).flatMap((thread) => {
    const status = statusOf(pid, thread);
    if (status === undefined) return [];
    const field = (name: string) =>
      new RegExp(`^${name}:[\\t ]*(.*)$`, "m").exec(status)?.[1].trim();
    const actual = Object.fromEntries(Object.keys(expected).map((name) => [name, field(name)]));
    assertEquals(actual, expected, `thread ${thread} (${field("Name")})`);
    return field("Name") ?? "";
  });
}

/** Undefined if the thread has ended meanwhile. */
function statusOf(pid: number, thread: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/task/${thread}/status`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || String(error).includes("os error 3)"))) {
      throw error;
    }
  }
}

function threadsOf(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
}

/** An address that is not loopback, in a network that ends with kmeter: pages for it are compressed. */
const PRIVATE_ADDRESS = "10.98.76.54";
const IN_PRIVATE_NETWORK = [
  ...["unshare", "--net", "sh", "-c"],
  `ip link set lo up && ip address add ${PRIVATE_ADDRESS}/32 dev lo && exec "$@"`,
  "sh",
];
/** Makes a page that is worth compressing. */
const FILE_COUNT = 5000;

testWith(
  "--user: no thread has a right, whenever it started, and what happens later is counted",
  ["root", "/usr/sbin/ip", "/usr/bin/unshare", "/usr/bin/curl"],
  async () => {
    const before = await listKernelObjects();
    await using kmeter = startKmeter([
      ...["run", "trace_open", "--user", "nobody", "-o", "none"],
      ...["--listen", `${PRIVATE_ADDRESS}:2224`],
      ...["--annotate", "open.fname:metrics.type=key"],
      ...["--pid", String(Deno.pid)],
    ], { prefix: IN_PRIVATE_NETWORK });
    await servedAt(kmeter);
    const atStart = threadsOf(kmeter.pid);
    assertRightless(kmeter.pid, NOBODY);
    const folder = `/nonexistent/${crypto.randomUUID()}`;
    for (let index = 0; index < FILE_COUNT; index++) openInVain(folder, index);
    const page = await scrapeCompressed(kmeter.pid);
    const own = page.split("\n").filter((line) =>
      line.startsWith("opens_total{") && line.includes(folder) && line.endsWith("} 1")
    );
    assertEquals(own.length, FILE_COUNT, "each of them was opened once");
    const later = threadsOf(kmeter.pid).filter((thread) => !atStart.includes(thread));
    assert(later.length > 0, "the compressor has a thread of its own");
    const names = assertRightless(kmeter.pid, NOBODY);
    // The one that counts, and the one that compresses.
    assert(names.filter((name) => name.startsWith("worker-")).length >= 2, names.join(" "));
    kmeter.kill("SIGINT");
    assertEquals((await kmeter.finish()).code, 0);
    await assertNothingLeft(before);
  },
);

function openInVain(folder: string, index: number): void {
  try {
    Deno.openSync(`${folder}/${index}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The page as a scraper in kmeter's network gets it. Throws: Error if it is not compressed. */
async function scrapeCompressed(pid: number): Promise<string> {
  const curl = ["curl", "-sS", "--compressed", "-D", "/dev/stderr"];
  const url = `http://${PRIVATE_ADDRESS}:2224/metrics`;
  const { stdout, stderr } = await runTool(["nsenter", "-t", String(pid), "-n", ...curl, url]);
  assertMatch(stderr, /^content-encoding: gzip/m);
  return stdout;
}

testWith("--user takes a number, whether it has an account or not", ["root"], async () => {
  for (const id of [NOBODY, 54321]) {
    await runCase({
      name: `--user ${id}`,
      run: ["run", "trace_signal", ANY_PORT, "--user", String(id), "-o", "none"],
      during: async (kmeter) => {
        await servedAt(kmeter);
        assertRightless(kmeter.pid, id);
        kmeter.kill("SIGTERM");
      },
      expect: { code: 0, stdout: "" },
    });
  }
});

testWith("--user without metrics: rows go on", ["root"], async () => {
  using program = new NamedProgram();
  await runCase({
    name: "rows",
    run: [
      "run",
      "trace_exec",
      "--user",
      "nobody",
      "-o",
      "json",
      "-F",
      `proc.comm==${program.name}`,
    ],
    during: async (kmeter) => {
      while (!hasLeftRoot(kmeter)) await sleep(10);
      await program.run(2);
      await kmeter.waitFor("stdout", /\n.*\n/);
      kmeter.kill("SIGINT");
    },
    expect: { code: 0, stderr: "" },
    check: ({ stdout }) => assertEquals(stdout.trimEnd().split("\n").length, 2, stdout),
  });
});

/** Throws: Error if it has ended before. */
function hasLeftRoot(kmeter: ChildProcess): boolean {
  if (kmeter.hasEnded) throw new Error(`kmeter has ended: ${kmeter.stderr}`);
  const status = statusOf(kmeter.pid, String(kmeter.pid)) ?? "";
  return /^Uid:\t65534/m.test(status) && /^NoNewPrivs:\t1/m.test(status);
}

testWith("--user: others with this user cannot look into the process", ["root"], async () => {
  await using kmeter = startKmeter(["run", "trace_signal", ANY_PORT, "--user", "nobody"]);
  await servedAt(kmeter);
  const asNobody = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  for (const file of ["environ", "mem", "fd/0"]) {
    const path = `/proc/${kmeter.pid}/${file}`;
    const read = new Deno.Command(asNobody[0], { args: [...asNobody.slice(1), "cat", path] });
    const { code, stderr } = await read.output();
    assertEquals(code, 1, path);
    assertMatch(new TextDecoder().decode(stderr), /Permission denied/, path);
  }
});

interface Workload {
  readonly gadget: string;
  /** Family whose samples rise by at least `count`. */
  readonly family: string;
  readonly count: number;
  /** Which samples of it are looked at. */
  readonly labels: (program: NamedProgram) => readonly string[];
  run(program: NamedProgram): Promise<unknown>;
  /** Why this machine cannot; undefined if it can. */
  missing?(): string | undefined;
}

const WRITE_TO_DISK =
  "dd if=/dev/zero of=/var/tmp/kmeter_e2e_$$ bs=4k count=8 oflag=direct 2>&1; rm /var/tmp/kmeter_e2e_$$";

const byName = ({ name }: NamedProgram) => [`comm="${name}"`];
const anybody = () => [];
const runTwice = (program: NamedProgram) => program.run(2);

const WORKLOADS: readonly Workload[] = [
  { gadget: "trace_exec", family: "execs_total", count: 2, labels: byName, run: runTwice },
  { gadget: "trace_open", family: "opens_total", count: 2, labels: byName, run: runTwice },
  { gadget: "top_syscalls", family: "syscalls_total", count: 2, labels: byName, run: runTwice },
  {
    gadget: "profile_runqlat",
    family: "runq_latency_microseconds_count",
    count: 2,
    labels: anybody,
    run: runTwice,
  },
  {
    gadget: "trace_signal",
    family: "signals_total",
    count: 1,
    labels: () => ['signal="SIGUSR1"', 'comm="sh"'],
    run: () => runTool(["sh", "-c", "trap : USR1; kill -USR1 $$"]),
  },
  {
    gadget: "trace_tcp",
    family: "tcp_events_total",
    count: 1,
    labels: () => ['type="accept"'],
    run: connectToSelf,
  },
  {
    gadget: "profile_blockio",
    family: "blockio_bytes_total",
    count: 8 * 4096,
    labels: () => ['operation="write"'],
    run: () => runTool(["sh", "-c", WRITE_TO_DISK]),
  },
  {
    gadget: "trace_oomkill",
    family: "oom_kills_total",
    count: 1,
    labels: () => ['comm="tail"'],
    run: killForMemory,
    missing: needsMemoryCgroup,
  },
];

/** tail keeps all of a file without lines. */
async function killForMemory(): Promise<void> {
  using group = new MemoryCgroup(`kmeter_e2e_${Deno.pid}`);
  const eat = `echo $$ > ${group.processes} && exec tail /dev/zero`;
  const { signal } = await new Deno.Command("sh", { args: ["-c", eat] }).output();
  assertEquals(signal, "SIGKILL");
}

async function connectToSelf(): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const accepted = listener.accept();
  using _client = await Deno.connect({ hostname: "127.0.0.1", port });
  using _server = await accepted;
}

function sumOf(page: string, family: string, labels: readonly string[]): number {
  const values = samplesOf(page, family, ...labels).map((line) => Number(line.split(" ").at(-1)));
  return values.reduce((sum, value) => sum + value, 0);
}

for (const { gadget, family, count, labels, run, missing } of WORKLOADS) {
  const reason = missing?.();
  if (reason !== undefined) {
    // deno-lint-ignore no-console -- scripts/test collects these lines
    console.log(`skip: ${gadget} with --user: ${reason}`);
    continue;
  }
  // A map is drained when its rows are shown, and read in place when they are not.
  for (const output of ["none", "json"]) {
    testWith(`${gadget} -o ${output} counts what happens after --user`, ["root"], async () => {
      using program = new NamedProgram();
      await runCase({
        name: gadget,
        run: ["run", gadget, ANY_PORT, "--user", "nobody", "-o", output],
        during: async (kmeter) => {
          const address = await servedAt(kmeter);
          const wanted = labels(program);
          const atFirst = sumOf(await readPage(address), family, wanted);
          await run(program);
          const page = await pageWith(
            address,
            (page) => sumOf(page, family, wanted) >= atFirst + count,
          );
          assertHealthy(page);
          kmeter.kill("SIGINT");
        },
        expect: { code: 0 },
        check: ({ stderr }) => assert(!stderr.includes("warning"), stderr),
      });
    });
  }
}

/** Nothing was left out of the page, and the kernel's statistics are still told. */
function assertHealthy(page: string): void {
  assertNoFailures(page);
  assertMatch(page, /^kmeter_program_run_count_total\{.*\} [1-9]\d*$/m);
  assertMatch(page, /^process_open_fds [1-9]/m);
}

function assertNoFailures(page: string): void {
  const failures = page.match(/^kmeter_(scrape|map_fetch)_errors_total\{.* [1-9]\d*$/gm);
  assertEquals(failures, null, page);
}

/** Gadgets that read in every way there is, and annotations that give each data source a metric. */
const READERS: readonly (readonly [string, string])[] = [
  ["maps", ""],
  ["mapped", ""],
  ["perf", ""],
  ["iterators", "tasks.comm:metrics.type=key,tasks:metrics.implicit-counter.name=tasks"],
];
for (const [name, annotations] of READERS) {
  testWith(`--user: all that ${name} has can be read`, ["root"], async () => {
    const gadget = await fixtureGadget(name);
    // An iterator whose rows are shown is read once: the run would end.
    for (const output of name === "iterators" ? ["none"] : ["none", "json"]) {
      await runCase({
        name,
        run: [
          ...["run", gadget, ANY_PORT, "--user", "nobody", "-o", output],
          ...(annotations === "" ? [] : ["--annotate", annotations]),
        ],
        during: async (kmeter) => {
          const address = await servedAt(kmeter);
          await readPage(address);
          const page = await readPage(address);
          assertNoFailures(page);
          if (name === "iterators") assert(samplesOf(page, "tasks_total").length > 0, page);
          kmeter.kill("SIGINT");
        },
        expect: { code: 0 },
        check: ({ stderr }) => assert(!stderr.includes("warning"), stderr),
      });
    }
  });
}

const noCpuSwitch = Deno.uid() === 0 ? needsCpuSwitch() : undefined;
if (noCpuSwitch !== undefined) {
  // deno-lint-ignore no-console -- scripts/test collects these lines
  console.log(`skip: --user and a CPU that returns: ${noCpuSwitch}`);
} else {
  testWith(
    "--user: a CPU that returns has no perf buffer any more, which is told",
    ["root"],
    async () => {
      await runCase({
        name: "a CPU returns",
        run: ["run", await fixtureGadget("perf"), ANY_PORT, "--user", "nobody", "-o", "none"],
        during: async (kmeter) => {
          await servedAt(kmeter);
          switchCpu("0");
          switchCpu("1");
          await kmeter.waitFor("stderr", /after --user it has no right/);
          kmeter.kill("SIGINT");
        },
        expect: { code: 0 },
        check: ({ stderr }) =>
          assertMatch(stderr, /warning: .*CPU 1 came online, and its events are lost: .*EACCES/),
      });
    },
  );
}

testWith("--user: kernel stacks keep their names", ["root"], async () => {
  const gadget = await fixtureGadget("sampled");
  await using kmeter = startKmeter(
    ["run", gadget, ANY_PORT, "--user", "nobody", "-o", "json", "--fields", "stack"],
  );
  await servedAt(kmeter);
  await using _busy = busyInKernel();
  await kmeter.waitFor("stdout", /"stack":"(?:[^"]*; )?(?!0x)[a-z_]{3,}[^"]*; "/);
});

function busyInKernel(): AsyncDisposable {
  const child = new Deno.Command("dd", {
    args: ["if=/dev/zero", "of=/dev/null", "bs=1M"],
    stderr: "null",
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

testCases(
  [
    ...[
      ["nobdy", /^error: --user "nobdy": there is no such user in \/etc\/passwd\nhint: /],
      ["", /^error: --user/],
      ["-1", /^error: --user/],
      ["4294967295", /^error: --user "4294967295": there is no such user/],
      ["root", /^error: --user "root": is root \(uid 0\)/],
      ["0", /^error: --user "0": is root \(uid 0\)/],
      ["00", /^error: --user "00": is root \(uid 0\)/],
    ].map(([user, stderr]) => ({
      name: `wrong usage: --user=${user}`,
      run: ["run", "trace_exec", `--user=${user}`],
      expect: { code: 2, stdout: "", stderr },
    })),
  ] as Parameters<typeof testCases>[0],
);

/** Root with fewer rights, and what is said to it; in each case nothing may be left in the kernel. */
const REFUSALS: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    "without CAP_SETUID",
    ["--bounding-set=-setuid"],
    /^error: Cannot become user nobody: this process lacks CAP_SETUID\nhint: /,
  ],
  [
    "without CAP_SETUID and CAP_SETGID",
    ["--bounding-set=-setuid,-setgid"],
    /^error: Cannot become user nobody: this process lacks CAP_SETUID and CAP_SETGID\nhint: /,
  ],
  [
    "with a capability to inherit, which a thread keeps",
    ["--inh-caps=+net_raw"],
    /^error: Cannot leave root: thread \d+ still has CapInh 0000000000002000\nhint: /,
  ],
  [
    "with securebits that keep capabilities",
    ["--securebits=+no_setuid_fixup"],
    /^error: Cannot leave root: thread \d+ still has Cap(Prm|Eff) [0-9a-f]{16}\nhint: /,
  ],
];
for (const [name, restrictions, stderr] of REFUSALS) {
  testWith(`--user is refused to root ${name}`, ["root", "/usr/bin/setpriv"], () =>
    runCase({
      name,
      run: ["run", "trace_exec", "--user", "nobody", "-o", "none", ANY_PORT],
      options: { prefix: ["setpriv", ...restrictions] },
      expect: { code: 1, stdout: "", stderr },
      check: ({ stderr }) => assertOneError(stderr),
    }));
}

/** Each capability that loading needs is named, and those that are there are not. */
const LACKS: readonly (readonly [string, string])[] = [
  ["-bpf,-sys_admin", "CAP_BPF"],
  ["-perfmon,-sys_admin", "CAP_PERFMON"],
  ["-bpf,-perfmon,-sys_admin", "CAP_BPF and CAP_PERFMON"],
];
for (const [dropped, missing] of LACKS) {
  testWith(`root without ${missing} is told so`, ["root", "/usr/bin/setpriv"], async () => {
    const prefix = ["setpriv", `--bounding-set=${dropped}`];
    await runCase({
      name: dropped,
      run: ["run", "trace_exec", ANY_PORT],
      options: { prefix },
      expect: {
        code: 1,
        stdout: "",
        stderr: new RegExp(
          `^error: Cannot load eBPF programs: this process lacks ${missing}\nhint: run it with sudo`,
        ),
      },
      check: ({ stderr }) => assertOneError(stderr),
    });
    const [, ...lines] = missing.split(" and ").map((name) => `lacks ${name}, `);
    await runCase({
      name: "doctor",
      run: ["doctor"],
      options: { prefix },
      expect: {
        code: 1,
        stdout: [
          new RegExp(`^ {2}FAIL {2}privileges +lacks ${missing.split(" ")[0]}, `, "m"),
          ...lines.map((line) => new RegExp(`^ +${line}`, "m")),
        ],
      },
    });
  });
}

const SECRET = "s3cretMarker";

testWith("no page tells of the environment or the command line", ["root"], async () => {
  await using kmeter = startKmeter(
    ["run", "trace_signal", ANY_PORT, "-o", "none", "-F", `proc.comm!=${SECRET}`],
    { env: { KMETER_TEST_TOKEN: SECRET } },
  );
  const address = await servedAt(kmeter);
  await assertSilent(kmeter, address);
});

async function assertSilent(kmeter: ChildProcess, address: string): Promise<void> {
  const commandLine = Deno.readTextFileSync(`/proc/${kmeter.pid}/cmdline`);
  assert(commandLine.includes(SECRET), "the secret is where it must not be read from");
  for (
    const path of ["/", "/metrics", "/healthz", "/debug/pprof/", "/proc/self/environ", "/%2e%2e/"]
  ) {
    for (const accept of ["text/plain", "application/openmetrics-text"]) {
      const response = await fetch(`${address}${path}`, { headers: { accept } });
      const text = [...response.headers].join("\n") + await response.text();
      assert(!text.includes(SECRET), `${path} has it:\n${text}`);
      assert(!text.includes("KMETER_TEST"), `${path} has a variable:\n${text}`);
    }
  }
}
