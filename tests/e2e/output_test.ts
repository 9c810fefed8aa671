/** Standard output and error that nobody reads, or that have no room. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertOneError, testWith } from "./cases.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { runTool, startKmeter } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";
import { ANY_PORT, readPage, samplesOf, servedAt } from "./scrape.ts";

/** More than the queue of rows has room for, in pieces that the ring has room for. */
const OPENS = 60_000;
const OPENS_AT_ONCE = 10_000;

testWith(
  "a full pipe: scrapes are answered, every event is counted, SIGTERM ends kmeter",
  ["root"],
  async () => {
    const before = await listKernelObjects();
    using sandbox = new Sandbox();
    const pipe = sandbox.path("pipe");
    await runTool(["mkfifo", pipe]);
    const missing = sandbox.path("missing");
    {
      await using kmeter = startKmeter([
        ...["run", "trace_open", "-o", "json", ANY_PORT],
        ...["--filter", `proc.pid==${Deno.pid},fname==${missing}`],
        // A reader that never reads: the shell's descriptor 3.
      ], { prefix: ["sh", "-c", 'exec 3<>"$0"; exec "$@" >"$0"', pipe] });
      const address = await servedAt(kmeter);
      for (let open = 1; open <= OPENS; open++) {
        openMissing(missing);
        if (open % OPENS_AT_ONCE === 0) await readPage(address);
      }
      const page = await readPage(address);
      const valueOf = (family: string) => Number(samplesOf(page, family)[0].split(" ").at(-1));
      assertEquals(valueOf("kmeter_events_lost_total"), 0);
      assertEquals(valueOf("opens_total"), OPENS);
      await kmeter.waitFor("stderr", /warning: data source open: \d+ rows left out/);
      kmeter.kill("SIGTERM");
      const { code, stderr } = await kmeter.finish({ timeoutMs: 20_000 });
      assertEquals(code, 1);
      assertMatch(stderr, /^error: Cannot write to standard output: \d+ bytes are left$/m);
    }
    await assertNothingLeft(before);
  },
);

for (const gadget of ["trace_open", "top_syscalls", "profile_blockio"]) {
  testWith(`run ${gadget} on a full disk ends with one error`, ["root"], async () => {
    const before = await listKernelObjects();
    {
      await using kmeter = startKmeter(["run", gadget], {
        prefix: ["sh", "-c", 'exec "$@" >/dev/full', "sh"],
      });
      const { code, stderr } = await kmeter.finish({ timeoutMs: 20_000 });
      assertEquals(code, 1);
      assertMatch(stderr, /^error: Cannot write to standard output: ENOSPC from write$/m);
      assertOneError(stderr);
    }
    await assertNothingLeft(before);
  });
}

testWith(
  "a full disk for stderr keeps nobody from counting, nor from ending well",
  ["root"],
  async () => {
    const before = await listKernelObjects();
    {
      await using kmeter = startKmeter([
        "run",
        "trace_open",
        "-o",
        "json",
        "--timeout",
        "1",
        ANY_PORT,
      ], {
        prefix: ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"],
      });
      await kmeter.waitFor("stdout", /"fname"/);
      assertEquals((await kmeter.finish({ timeoutMs: 20_000 })).code, 0);
    }
    await assertNothingLeft(before);
  },
);

testWith("init on a full disk or a read-only one is one error", ["root"], async () => {
  using sandbox = new Sandbox();
  // A file system of its own, gone with the namespace.
  for (
    const [options, reason] of [["size=4k,nr_inodes=2", "No space left on device"], [
      "ro",
      "Read-only file system",
    ]]
  ) {
    const mount = `mount -t tmpfs -o ${options} none "$0" && cd "$0" && exec "$@"`;
    await using kmeter = startKmeter(["init", "mine"], {
      prefix: ["unshare", "--mount", "sh", "-c", mount, sandbox.folder],
    });
    const { code, stderr } = await kmeter.finish();
    assertEquals(code, 2, stderr);
    assertOneError(stderr);
    assert(stderr.includes(reason), stderr);
  }
});

function openMissing(path: string): void {
  try {
    Deno.openSync(path).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
