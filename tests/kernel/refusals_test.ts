/** A gadget runs without programs that the kernel refuses, and each hint fits the mistake. */

// @ts-types="../unit/_std_assert.d.ts"
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { MAX_REFUSALS } from "../../src/engine/load_object.ts";
import { KernelError } from "../../src/errors.ts";
import { fixture, kernelFixture, kernelTest, startGadget, until } from "./harness.ts";
import { runTool } from "./oracles.ts";

/** Program → what its warning must say last. Only `no_mistake` has none. */
const HINTS: Readonly<Record<string, RegExp>> = {
  odd_section: /hint: section "raw_tpp\/sched_process_exit" is of no kind .* "raw_tp"\?/,
  odd_raw_tp: /hint: .* no tracepoint sched_proces_exit: did you mean "sched_process_exit"\?/,
  odd_tp_btf: /hint: .* no tracepoint sched_swich: did you mean "sched_switch"\?/,
  odd_tracepoint:
    /hint: .* no tracepoint syscalls\/sys_entr_openat: did you mean "syscalls\/sys_enter_openat"\?/,
  odd_fentry: /hint: .* no function do_unlinkatt, .* did you mean "do_unlinkat"\?/,
  odd_kprobe: /hint: .* no function do_unlinkatt, .* did you mean "do_unlinkat"\?/,
  odd_iter: /hint: .* no iterator tasc: did you mean "task"\?/,
  wild_read:
    /R1 invalid mem access 'scalar'\nhint: the kernel's verifier refuses the code of wild_read;/,
  odd_member: /hint: odd_member reads a type or member that this kernel does not have: /,
};

kernelTest("nine mistakes in one gadget: each has a hint that fits, the rest runs", async () => {
  const folder = await kernelFixture("mistakes");
  await using started = await startGadget(folder, {
    annotate: ["events:metrics.implicit-counter.name=ends"],
    show: ["tasks"],
  });
  assert(
    started.warnings.includes(
      "data source tasks stays empty: no program that feeds it is attached",
    ),
    started.warnings.join("\n"),
  );
  for (const [program, hint] of Object.entries(HINTS)) {
    const warning = started.warnings.find((text) =>
      text.startsWith(`mistakes runs without program ${program} (`)
    );
    assert(warning !== undefined, `no warning for ${program}`);
    assertMatch(warning, hint);
  }
  const programs = started.running.snapshot().programs;
  assertEquals(
    programs.filter(({ isAttached }) => isAttached).map(({ program }) => program),
    ["no_mistake"],
  );
  assertEquals(programs.length, 1 + Object.keys(HINTS).length);
  await runTool("true", []);
  await until("an end is counted", async () => {
    const [series] = (await started.metrics("events")).values();
    return series.ends as bigint > 0n;
  });
});

kernelTest("a missing licence is named", async () => {
  const folder = await kernelFixture("no_license");
  const error = await assertRejects(() => startGadget(folder), KernelError);
  assertStringIncludes(error.message, "cannot call GPL-restricted function");
  assertStringIncludes(error.hint ?? "", 'char LICENSE[] SEC("license") = "GPL";');
});

for (const gadget of ["bad_access", "endless_loop", "too_complex"]) {
  kernelTest(`${gadget}: the hint points at the program, not at the kernel`, async () => {
    const folder = await kernelFixture(gadget);
    const error = await assertRejects(() => startGadget(folder), KernelError);
    assertEquals(error.program, gadget);
    assertStringIncludes(error.hint ?? "", `the kernel's verifier refuses the code of ${gadget}`);
  });
}

kernelTest("a data source that nothing feeds has no metrics, the others do", async () => {
  const folder = await fixture("mixed_hooks");
  await using started = await startGadget(folder);
  const attached = started.running.snapshot().programs.filter(({ isAttached }) => isAttached);
  assert(attached.some(({ section }) => section === "raw_tp/sched_process_exec"));
  const isUnlinkFed = attached.some(({ program }) => program === "on_unlink");
  const scopes = started.running.metricSets.map(({ scope }) => scope);
  assertEquals(scopes.includes("mixed_hooks/execs"), true);
  assertEquals(scopes.includes("mixed_hooks/unlinks"), isUnlinkFed);
  const says = started.warnings.includes(
    "data source unlinks stays empty: no program that feeds it is attached",
  );
  assertEquals(says, !isUnlinkFed);
});

kernelTest("--strict: the first program that is refused is the error", async () => {
  const folder = await kernelFixture("mistakes");
  const error = await assertRejects(() => startGadget(folder, { strict: true }), KernelError);
  assertEquals(error.program, "odd_section");
  assertMatch(`hint: ${error.hint}`, HINTS.odd_section);
});

kernelTest("a gadget that runs in part comes and goes fifty times and leaves nothing", async () => {
  const folder = await fixture("mixed_hooks");
  for (let round = 0; round < 50; round++) {
    await using started = await startGadget(folder);
    assert(started.running.programs.length > 0);
  }
});

kernelTest("a gadget with more refused programs than kmeter does without is an error", async () => {
  const folder = await kernelFixture("many_refused");
  const error = await assertRejects(() => startGadget(folder), KernelError);
  // They begin with odd_10.
  assertEquals(error.program, `odd_${10 + MAX_REFUSALS}`);
});
