/** Signals at any moment of a run: what is loaded goes, and who can still speak ends well. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { Random } from "../unit/random.ts";
import { testWith } from "./cases.ts";
import { assertNothingLeft, listKernelObjects } from "./kernel_objects.ts";
import { type ChildProcess, sleep, startKmeter } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";
import { ANY_PORT } from "./scrape.ts";

const SEED = Number(Deno.env.get("SEED") ?? 1);
const ROUNDS = 6;
const SERVE_ROUNDS = 6;
/** Longer than a reload takes. */
const RELOAD_MS = 300;
/** From before the first line of kmeter's code to well into the run. */
const MAX_DELAY_MS = 1200;

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const) {
  testWith(
    `${signal} at random moments of start, run, scrape and stop leaves nothing (seed ${SEED})`,
    ["root"],
    async () => {
      const before = await listKernelObjects();
      const random = new Random(SEED);
      for (let round = 0; round < ROUNDS; round++) {
        const gadget = ["trace_open", "top_syscalls"][round % 2];
        await using kmeter = startKmeter(["run", gadget, "-o", "json", ANY_PORT]);
        const scraping = scrapeUntilItEnds(kmeter);
        await sleep(random.between(0, MAX_DELAY_MS));
        // Once running it has its listeners.
        const isRunning = /metrics at/.test(kmeter.stderr);
        kmeter.kill(signal);
        const outcome = await kmeter.finish({ timeoutMs: 20_000 });
        await scraping;
        const what = `${JSON.stringify({ round, isRunning })} ${outcome.stderr}`;
        assert(!outcome.stderr.includes("error:"), what);
        if (signal === "SIGHUP" || signal === "SIGKILL") assertEquals(outcome.signal, signal, what);
        else if (isRunning) assertEquals([outcome.signal, outcome.code], [null, 0], what);
        else assert(outcome.signal === signal || outcome.code === 0, what);
        if (outcome.code === 0 && isRunning) expectWholeRows(outcome.stdout);
      }
      await assertNothingLeft(before);
    },
  );
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  testWith(
    `${signal} at random moments of a server's start, reload and stop leaves nothing (seed ${SEED})`,
    ["root"],
    async () => {
      const before = await listKernelObjects();
      const random = new Random(SEED);
      for (let round = 0; round < SERVE_ROUNDS; round++) {
        using sandbox = new Sandbox();
        const write = (gadgets: string) =>
          sandbox.write(
            "kmeter.yaml",
            `listen: 127.0.0.1:0\nsocket: none\ngadgets: [${gadgets}]\n`,
          );
        const file = write("trace_open, top_syscalls");
        await using kmeter = startKmeter(["serve", "-f", file]);
        const scraping = scrapeUntilItEnds(kmeter);
        if (round % 2 === 1) {
          // The signal comes while the file is read again, one gadget is stopped and another one started.
          await kmeter.waitFor("stderr", /metrics at/);
          write("trace_open, trace_exec");
          kmeter.kill("SIGHUP");
          await sleep(random.between(0, RELOAD_MS));
        } else await sleep(random.between(0, MAX_DELAY_MS));
        const isRunning = /metrics at/.test(kmeter.stderr);
        kmeter.kill(signal);
        const outcome = await kmeter.finish({ timeoutMs: 20_000 });
        await scraping;
        const what = `${JSON.stringify({ round, isRunning })} ${outcome.stderr}`;
        assert(!/error:|warning:/.test(outcome.stderr), what);
        if (signal === "SIGKILL") assertEquals(outcome.signal, signal, what);
        else if (isRunning) assertEquals([outcome.signal, outcome.code], [null, 0], what);
        else assert(outcome.signal === signal || outcome.code === 0, what);
      }
      await assertNothingLeft(before);
    },
  );
}

/** Each line, the last one too, is a whole row. */
function expectWholeRows(output: string): void {
  assert(output === "" || output.endsWith("\n"), output.slice(-200));
  for (const line of output.split("\n")) if (line !== "") JSON.parse(line);
}

async function scrapeUntilItEnds(kmeter: ChildProcess): Promise<void> {
  while (!kmeter.hasEnded) {
    const address = /metrics at (\S+)/.exec(kmeter.stderr)?.[1];
    if (address === undefined) await sleep(10);
    else {
      try {
        await (await fetch(address)).arrayBuffer();
      } catch {
        // It ends in the middle of an answer.
        await sleep(10);
      }
    }
  }
}
