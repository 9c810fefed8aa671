/** Built-in gadgets about processes: N things done are N things counted, here and by bpftrace. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { builtin, kernelTest, type Metrics, startGadget, until } from "./harness.ts";
import { needsBpftrace, traceWith } from "./oracles.ts";
import { Workload } from "./workload.ts";

/** Series of one program, by the labels behind the comm. */
function seriesOf(metrics: Metrics, comm: string, instrument: string): Record<string, bigint> {
  const series: Record<string, bigint> = {};
  for (const [labels, values] of metrics) {
    const [first, ...others] = labels.split("|");
    if (first === comm) series[others.join("|")] = values[instrument] as bigint;
  }
  return series;
}

function repeat(count: number, command: string): string {
  return `i=0; while [ $i -lt ${count} ]; do ${command}; i=$((i+1)); done; `;
}

kernelTest(
  "trace_exec: every exec is counted under its comm, and bpftrace counts the same",
  async () => {
    using workload = new Workload();
    const shell = workload.copy("/bin/sh", "sh");
    const first = workload.copy("/bin/true", "first");
    const second = workload.copy("/bin/true", "second");
    Deno.writeTextFileSync(workload.path("no_program"), "");
    await using tracing = await traceWith(
      "tracepoint:sched:sched_process_exec { @execs[comm] = count(); }",
    );
    await using gadget = await startGadget(await builtin("trace_exec"), { show: ["exec"] });
    await workload.run(shell, [
      "-c",
      repeat(40, `./${first} one two`) + repeat(15, `./${second}`) + repeat(7, "./missing") +
      repeat(3, "./no_program") + "exit 0",
    ]);
    const metrics = await gadget.metrics("exec");
    const counts = await tracing.counts();
    assertEquals(seriesOf(metrics, first, "execs"), { "": 40n });
    assertEquals(seriesOf(metrics, second, "execs"), { "": 15n });
    assertEquals(seriesOf(metrics, shell, "execs"), { "": 1n, ENOENT: 7n, EACCES: 3n });
    assertEquals(counts.get(`execs[${first}]`), 40);
    assertEquals(counts.get(`execs[${second}]`), 15);
    assertEquals(counts.get(`execs[${shell}]`), 1);
    const row = gadget.rowsOf("exec").find((candidate) => candidate.args === `./${first} one two`);
    assertEquals([row?.fname, row?.error, row?.args_count], [`./${first}`, "", 3]);
    const process = row?.proc as { comm: string; parent: { comm: string } };
    assertEquals([process.comm, process.parent.comm], [first, shell]);
  },
  { probe: needsBpftrace },
);

kernelTest("trace_exec: --ignore-failed leaves failed ones out", async () => {
  using workload = new Workload();
  const shell = workload.copy("/bin/sh", "sh");
  await using gadget = await startGadget(await builtin("trace_exec"), {
    params: { "ignore-failed": "true", comm: shell },
  });
  await workload.run(shell, ["-c", "./missing; ./missing; exit 0"]);
  assertEquals(seriesOf(await gadget.metrics("exec"), shell, "execs"), { "": 1n });
});

kernelTest(
  "trace_open: every open is counted, failed ones by their error, as bpftrace does",
  async () => {
    using workload = new Workload();
    const shell = workload.copy("/bin/sh", "sh");
    const there = workload.path("there");
    const missing = workload.path("missing");
    Deno.writeTextFileSync(there, "");
    await using tracing = await traceWith(
      `tracepoint:syscalls:sys_enter_openat /comm == "${shell}"/ ` +
        "{ @opens[str(args->filename)] = count(); }",
    );
    await using gadget = await startGadget(await builtin("trace_open"), {
      filter: `fname~^${workload.folder}/`,
      show: ["open"],
    });
    await workload.run(shell, [
      "-c",
      repeat(60, `true < ${there}`) + repeat(25, `true < ${missing}`) + "exit 0",
    ]);
    const metrics = await gadget.metrics("open");
    const counts = await tracing.counts();
    assertEquals(seriesOf(metrics, shell, "opens"), { "": 60n, ENOENT: 25n });
    assertEquals(metrics.size, 2);
    assertEquals(counts.get(`opens[${there}]`), 60);
    assertEquals(counts.get(`opens[${missing}]`), 25);
    const rows = gadget.rowsOf("open");
    assertEquals(rows.filter(({ fname }) => fname === there).length, 60);
    assertEquals(rows.filter(({ fname, fd }) => fname === missing && fd === -1).length, 25);
  },
  { probe: needsBpftrace },
);

kernelTest("trace_signal: every kill is counted by sender, receiver and signal", async () => {
  const kills = 80;
  using workload = new Workload();
  const shell = workload.copy("/bin/sh", "sh");
  const child = workload.spawn(shell, ["-c", "trap : USR1; while true; do sleep 0.01; done"]);
  // Signals before the trap would end it.
  await until("the trap is set", () => caughtSignals(child.pid) !== 0n);
  await using tracing = await traceWith(
    `tracepoint:signal:signal_generate /args->pid == ${child.pid}/ ` +
      "{ @signals[args->sig] = count(); }",
  );
  await using gadget = await startGadget(await builtin("trace_signal"), {
    filter: `tpid==${child.pid}`,
    show: ["signal"],
  });
  for (let kill = 0; kill < kills; kill++) Deno.kill(child.pid, "SIGUSR1");
  Deno.kill(child.pid, "SIGKILL");
  await child.status;
  const metrics = await gadget.metrics("signal");
  const counts = await tracing.counts();
  let users = 0n;
  for (const [labels, { signals }] of metrics) {
    const [, signal, , receiver] = labels.split("|");
    assertEquals(receiver, shell);
    if (signal === "SIGUSR1") users += signals as bigint;
  }
  assertEquals(users, BigInt(kills), [...metrics.keys()].join());
  assertEquals(counts.get("signals[10]"), kills);
  assertEquals(counts.get("signals[9]"), 1);
  const killed = gadget.rowsOf("signal").filter(({ sig }) => sig === "SIGKILL");
  assertEquals(killed.map(({ result, code }) => [result, code]), [["delivered", 0]]);
  assertEquals((killed[0].proc as { pid: number }).pid, Deno.pid);
}, { probe: needsBpftrace });

function caughtSignals(pid: number): bigint {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`) & 1n << 9n;
}

kernelTest(
  "top_syscalls: calls and errors of a program are exactly those that bpftrace counts",
  async () => {
    const blocks = 5000;
    using workload = new Workload();
    const copier = workload.copy("/bin/dd", "dd");
    await using tracing = await traceWith(
      `tracepoint:raw_syscalls:sys_exit /comm == "${copier}"/ ` +
        "{ @calls[args->id] = count(); if (args->ret < 0) { @errors[args->id] = count(); } }",
    );
    await using gadget = await startGadget(await builtin("top_syscalls"), {
      annotate: ["syscalls.syscall_raw:metrics.type=key"],
    });
    await workload.run(copier, [
      "if=/dev/zero",
      "of=/dev/null",
      "bs=1",
      `count=${blocks}`,
      "status=none",
    ]);
    const afterFirst = (await gadget.metrics("syscalls")).get(`1|SYS_WRITE|${copier}`);
    assertEquals(afterFirst?.syscalls, BigInt(blocks));
    await workload.run(copier, ["if=missing", "of=/dev/null", "status=none"]);
    const counts = await tracing.counts();
    const seen = new Map<string, number>();
    let timeNs = 0n;
    for (const [labels, values] of await gadget.metrics("syscalls")) {
      const [number, , comm] = labels.split("|");
      if (comm !== copier) continue;
      seen.set(`calls[${number}]`, Number(values.syscalls));
      if (values.syscall_errors !== 0n) {
        seen.set(
          `errors[${number}]`,
          Number(values.syscall_errors),
        );
      }
      timeNs += values.syscall_time as bigint;
    }
    assertEquals([...seen].sort(), [...counts].sort());
    assert(timeNs > 0n && timeNs < 60_000_000_000n, `${timeNs} ns`);
  },
  { probe: needsBpftrace },
);
