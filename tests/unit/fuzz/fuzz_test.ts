/** Every fuzzer, briefly: the same seeds each time. `deno task fuzz` runs them for long. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { runFuzz } from "../../fuzz/run_fuzz.ts";
import { hasPageParsers } from "../../fuzz/targets/page_parsers.ts";
import { TARGET_NAMES } from "../../fuzz/targets/mod.ts";

/** Inputs at most, where less than two seconds are not enough. */
const COUNTS: Readonly<Record<string, number>> = { page: 12, records: 20, http: 200 };
const USUAL_COUNT = 150;
/** For machines that do much else: the count ends a run, not the time. */
const SECONDS = 60;

const HAS_PARSERS = await hasPageParsers();

for (const target of TARGET_NAMES) {
  const ignore = target === "page" && !HAS_PARSERS;
  Deno.test({
    name: `hostile input: ${target}${ignore ? " (skipped: no promtool or Python parser)" : ""}`,
    ignore,
    fn: async () => {
      const count = COUNTS[target] ?? USUAL_COUNT;
      const options = { firstSeed: 1, seconds: SECONDS, count, findingsMax: 5 };
      const outcome = await runFuzz(target, options);
      assertEquals(outcome.findings, []);
      assert(outcome.inputs > 0, "no input was tried");
    },
  });
}

Deno.test("an input that kills or hangs the process is named, and the next ones are tried", async () => {
  const { inputs, findings } = await runFuzz("frail", {
    firstSeed: 1,
    seconds: SECONDS,
    count: 8,
    findingsMax: 9,
    worker: new URL("frail_worker.ts", import.meta.url),
    silenceMaxMs: 1500,
  });
  assertEquals(inputs, 8);
  assertEquals(findings.map(({ input, what }) => [input, what.split("\n")[0]]), [
    ["seed 2", "the process died: SIGKILL"],
    ["seed 4", "hangs: nothing for 1500 ms"],
    ["seed 6", "Error: six"],
  ]);
});
