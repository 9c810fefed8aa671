/** kmeter on kernels that lack something: commands of bpf(2) that a filter refuses, types that a mount hides. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneError, testWith } from "./cases.ts";
import { CHECKOUT } from "./kmeter_command.ts";
import { runTool, startKmeter } from "./kmeter_process.ts";
import { fixtureGadget, NamedProgram, Sandbox } from "./sandbox.ts";
import { ANY_PORT, pageWith, readPage, samplesOf, servedAt } from "./scrape.ts";

const EINVAL = 22;
/** `enum bpf_cmd`, and the kernel that had them first. */
const COMMANDS = {
  lookupAndDeleteElement: 21, // hashes: 5.14
  lookupBatch: 24, // 5.6
  lookupAndDeleteBatch: 25,
  updateBatch: 26,
  deleteBatch: 27,
  linkCreate: 28, // 5.7
  enableStats: 32, // 5.8
  iterCreate: 33, // 5.8
} as const;

/** A program that runs others where commands of bpf(2) are not known, as a prefix. */
async function withoutCommands(
  sandbox: Sandbox,
  commands: readonly (keyof typeof COMMANDS)[],
): Promise<readonly string[]> {
  const program = sandbox.path("refuse_bpf");
  await runTool(["cc", "-Wall", "-Werror", "-o", program, `${CHECKOUT}/tests/e2e/refuse_bpf.c`]);
  return [program, String(EINVAL), commands.map((name) => COMMANDS[name]).join()];
}

const MAP_READS: readonly [name: string, missing: (keyof typeof COMMANDS)[], annotate: string][] = [
  ["read in place", ["lookupBatch"], "syscalls:ebpf.map.read=snapshot"],
  ["drained", ["lookupAndDeleteBatch", "deleteBatch"], "syscalls:ebpf.map.read=drain"],
  [
    "drained in two calls an entry",
    ["lookupAndDeleteBatch", "deleteBatch", "lookupAndDeleteElement"],
    "syscalls:ebpf.map.read=drain",
  ],
];
for (const [name, missing, annotate] of MAP_READS) {
  testWith(`no ${missing.join(", ")}: a map ${name} says the same`, ["root"], async () => {
    using sandbox = new Sandbox();
    using program = new NamedProgram();
    const run = ["run", "top_syscalls", ANY_PORT, "-o", "none", "--annotate", annotate];
    await using old = startKmeter([...run, "--comm", program.name], {
      prefix: await withoutCommands(sandbox, missing),
    });
    await using present = startKmeter([...run, "--comm", program.name]);
    const [oldPage, presentPage] = [await servedAt(old), await servedAt(present)];
    await program.run(5);
    const calls = (page: string) => samplesOf(page, "syscalls_total", program.name).sort();
    const expected = calls(
      await pageWith(presentPage, (page) => calls(page).some((line) => line.includes("BRK"))),
    );
    assert(expected.length > 5, expected.join("\n"));
    const page = await pageWith(oldPage, (page) => calls(page).length >= expected.length);
    assertEquals(calls(page), expected);
  });
}

testWith("no link_create: programs attach by the calls before it", ["root"], async () => {
  using sandbox = new Sandbox();
  using program = new NamedProgram();
  await using kmeter = startKmeter(["run", "trace_exec", ANY_PORT, "-o", "none"], {
    prefix: await withoutCommands(sandbox, ["linkCreate"]),
  });
  const address = await servedAt(kmeter);
  await program.run(3);
  assertMatch(samplesOf(await readPage(address), "execs_total", program.name).join(), / 3$/);
});

testWith("no enable_stats: the run time of programs is left out", ["root"], async () => {
  using sandbox = new Sandbox();
  await using kmeter = startKmeter(["run", "trace_exec", ANY_PORT, "-o", "none"], {
    prefix: await withoutCommands(sandbox, ["enableStats"]),
  });
  const page = await readPage(await servedAt(kmeter));
  assertEquals(samplesOf(page, "kmeter_program_attached").length > 0, true);
  assertEquals(samplesOf(page, "kmeter_program_run_time_seconds_total"), []);
});

testWith("doctor tells what is done without, and that this is no failure", ["root"], async () => {
  using sandbox = new Sandbox();
  const missing = ["lookupBatch", "lookupAndDeleteElement", "enableStats"] as const;
  await using doctor = startKmeter(["doctor"], { prefix: await withoutCommands(sandbox, missing) });
  const { code, stdout } = await doctor.finish({ timeoutMs: 60_000 });
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^ {2}ok {4}ring buffers +yes$/m);
  assertMatch(stdout, /^ {2}ok {4}map batches +none before Linux 5\.6: /m);
  assertMatch(
    stdout,
    /^ {2}ok {4}map removal +an entry is read, then deleted, before Linux 5\.14: /m,
  );
  assertMatch(stdout, /^ {2}ok {4}run times +kmeter_program_run_time_seconds_total is left out: /m);
});

testWith("no iter_create: what cannot be read is told, and counted", ["root"], async () => {
  using sandbox = new Sandbox();
  const gadget = await fixtureGadget("iterators");
  const annotate = "tasks:metrics.implicit-counter.name=tasks";
  await using kmeter = startKmeter(
    ["run", gadget, ANY_PORT, "-o", "none", "--annotate", annotate],
    {
      prefix: await withoutCommands(sandbox, ["iterCreate"]),
    },
  );
  const page = await readPage(await servedAt(kmeter));
  await kmeter.waitFor("stderr", /Cannot run iterator walk_tasks: EINVAL from bpf_iter_create/);
  assertMatch(page, /kmeter_scrape_errors_total\{stage="refresh"\} [1-9]/);
});

testWith("no kernel BTF: an error that says so, and --btf is the way out", ["root"], async () => {
  using sandbox = new Sandbox();
  const btf = sandbox.path("vmlinux.btf");
  await Deno.copyFile("/sys/kernel/btf/vmlinux", btf);
  const hide = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"';
  const hidden = { prefix: ["unshare", "--mount", "sh", "-c", hide, "sh"] };
  await using refused = startKmeter(["run", "trace_exec", "-t", "1"], hidden);
  const { code, stderr } = await refused.finish();
  assertEquals(code, 1);
  assertOneError(stderr);
  assertMatch(stderr, /hint: this kernel shows no types of its own .*--btf FILE/);
  await using doctor = startKmeter(["doctor"], hidden);
  assertMatch((await doctor.finish()).stdout, /FAIL +kernel BTF .*missing\n.*--btf FILE/);

  using program = new NamedProgram();
  await using kmeter = startKmeter(
    ["run", "trace_open", ANY_PORT, "-o", "none", "--btf", btf],
    hidden,
  );
  const address = await servedAt(kmeter);
  await program.run(2);
  await pageWith(address, (page) => samplesOf(page, "opens_total", program.name).length > 0);
});

testWith("--btf takes the file that the hint names", ["root"], async () => {
  using program = new NamedProgram();
  await using kmeter = startKmeter(
    ["run", "trace_exec", ANY_PORT, "-o", "none", "--btf", "/sys/kernel/btf/vmlinux"],
  );
  const address = await servedAt(kmeter);
  await program.run(2);
  assertMatch(samplesOf(await readPage(address), "execs_total", program.name).join(), / 2$/);
});
