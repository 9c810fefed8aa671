/**
 * Hostile input, for as long as you like: `deno task fuzz [--seconds N] [--seed S] [TARGET...]`.
 *
 * Each target gets N seconds (default 60), from seed S on (default: the time). A failing input is
 * printed with its seed and written to a temporary file; once it is understood to be a bug, it
 * belongs in `tests/fuzz/corpus/TARGET/`, which every run begins with. `--count` ends a run earlier.
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter
import { parseArgs } from "node:util";
import { remakeInput, runFuzz } from "./run_fuzz.ts";
import { TARGET_NAMES } from "./targets/mod.ts";

const FINDINGS_MAX = 20;
const USAGE = `deno task fuzz [--seconds N] [--seed S] [--count N] [TARGET...]
targets: ${TARGET_NAMES.join(", ")}`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    options: {
      seconds: { type: "string", default: "60" },
      seed: { type: "string", default: String(Date.now() % 1e9) },
      count: { type: "string", default: "1000000000" },
    },
    allowPositionals: true,
  });
  const numbers = Object.values(values).map(Number);
  if (
    !numbers.every((number) => Number.isInteger(number) && number >= 0) ||
    !positionals.every((name) => TARGET_NAMES.includes(name))
  ) {
    console.error(USAGE);
    return 2;
  }
  let failures = 0;
  const [seconds, firstSeed, count] = [values.seconds, values.seed, values.count].map(Number);
  for (const target of positionals.length > 0 ? positionals : TARGET_NAMES) {
    console.log(`${target}: from seed ${firstSeed} on, for ${seconds} s`);
    const options = { firstSeed, seconds, count, findingsMax: FINDINGS_MAX };
    const { inputs, findings } = await runFuzz(target, options);
    for (const { input, what } of findings) {
      console.log(`${target}: ${input} fails: ${what}\n${await describeInput(target, input)}\n`);
    }
    console.log(`${target}: ${inputs} inputs, ${findings.length} findings`);
    failures += findings.length;
  }
  return failures > 0 ? 1 : 0;
}

async function describeInput(target: string, input: string): Promise<string> {
  const [kind, seed] = input.split(" ");
  if (kind !== "seed") return "";
  const file = await Deno.makeTempFile({ prefix: `kmeter_fuzz_${target}_${seed}_` });
  await Deno.writeFile(file, await remakeInput(target, Number(seed)));
  return `again: deno task fuzz --seed ${seed} --count 1 ${target}\ninput: ${file}`;
}

Deno.exit(await main());
