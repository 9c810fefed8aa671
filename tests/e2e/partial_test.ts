/** A gadget of which the kernel refuses a part: the rest runs, and kmeter says what is missing. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneError, runCase, testWith } from "./cases.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { startKmeter } from "./kmeter_process.ts";
import { fixtureGadget, NamedProgram } from "./sandbox.ts";
import { ANY_PORT, pageWith, samplesOf, servedAt } from "./scrape.ts";

testWith(
  "programs that are refused are left out, with warnings and metrics",
  ["root"],
  async () => {
    using program = new NamedProgram();
    const gadget = await fixtureGadget("mixed_hooks");
    const before = await listKernelObjects();
    {
      await using kmeter = startKmeter(["run", gadget, "-o", "none", ANY_PORT]);
      const address = await servedAt(kmeter);
      await program.run(1);
      const page = await pageWith(address, (text) => !/^execs_total\S* 0$/m.test(text));
      const attached = (name: string) =>
        samplesOf(page, "kmeter_program_attached", `program="${name}"`, 'gadget="mixed_hooks"');
      assertMatch(attached("on_exec")[0], /section="raw_tp\/sched_process_exec",reason=""} 1$/);
      assertMatch(
        attached("on_unlink")[0],
        /section="fentry\/do_unlinkat",reason="EPERM from bpf_object__load"} 0$/,
      );
      assertMatch(
        attached("on_rmdir")[0],
        /section="kprobe\/do_rmdir",reason="ENOENT from bpf_program__attach"} 0$/,
      );
      assert(!/^unlinks_total/m.test(page), "a data source that nothing feeds counts nothing");
      kmeter.kill("SIGTERM");
      const { code, stderr } = await kmeter.finish();
      assertEquals(code, 0);
      assertMatch(
        stderr,
        /^warning: mixed_hooks runs without program on_unlink \(fentry\/do_unlinkat\); --strict .*\n.*EPERM[^]*?\nhint: /m,
      );
      assertMatch(
        stderr,
        /^warning: mixed_hooks runs without program on_rmdir \(kprobe\/do_rmdir\)/m,
      );
      assertMatch(stderr, /^warning: data source unlinks stays empty: /m);
    }
    await assertNothingLeft(before);
  },
);

testWith("--strict: a program that is refused is an error", ["root"], async () =>
  runCase({
    name: "--strict",
    run: ["run", await fixtureGadget("mixed_hooks"), "--strict", "-t", "2"],
    expect: {
      code: 1,
      stdout: "",
      stderr: /^error: Cannot load mixed_hooks into the kernel: EPERM[^]*'on_unlink'[^]*\nhint: /,
    },
    check: ({ stderr }) => assertOneError(stderr),
  }));
