/**
 * The process that the inputs may kill: `worker.ts TARGET FIRST_SEED SECONDS COUNT`.
 *
 * Says on stdout, a line each: `seed N` or `file NAME` before an input, `failed JSON` for one that
 * fails, `done` at the end. Whoever started it knows by the last line which input was its last.
 */

import { Random } from "../unit/random.ts";
import type { FuzzTarget } from "./target.ts";
import { loadTarget } from "./targets/mod.ts";

/** One input may take this long, and the process may grow by that. */
const SLOW_MS = 3000;
const GROWTH_MAX_BYTES = 2 ** 28;
/** V8 keeps the text of generated functions for good: then another process goes on. */
const FULL_BYTES = 2 ** 30;

const CORPUS = new URL("corpus/", import.meta.url);
const encoder = new TextEncoder();

function say(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Files that were bugs once. */
function corpusOf(name: string): string[] {
  try {
    return [...Deno.readDirSync(new URL(`${name}/`, CORPUS))].map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function tryInput(target: FuzzTarget, input: Uint8Array<ArrayBuffer>): Promise<void> {
  const startMs = performance.now();
  const startBytes = Deno.memoryUsage().rss;
  try {
    await target.check(input);
    const tookMs = performance.now() - startMs;
    if (tookMs > SLOW_MS) throw new Error(`slow: ${Math.round(tookMs)} ms for one input`);
    const grownBytes = Deno.memoryUsage().rss - startBytes;
    if (grownBytes > GROWTH_MAX_BYTES) {
      throw new Error(`huge: ${grownBytes / 2 ** 20} MiB of memory for one input`);
    }
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.stack : "";
    say(`failed ${JSON.stringify(`${text}\n${cause}`.slice(0, 6000))}`);
  }
}

async function main(): Promise<void> {
  const [name, first, seconds, count] = Deno.args;
  const target = await loadTarget(name);
  for (const file of corpusOf(name)) {
    say(`file ${file}`);
    await tryInput(target, Deno.readFileSync(new URL(`${name}/${file}`, CORPUS)));
  }
  const endMs = performance.now() + Number(seconds) * 1000;
  const endSeed = Number(first) + Number(count);
  let seed = Number(first);
  for (; seed < endSeed && performance.now() < endMs; seed++) {
    if (Deno.memoryUsage().rss > FULL_BYTES) break;
    say(`seed ${seed}`);
    await tryInput(target, target.make(new Random(seed)));
  }
  await target.close?.();
  say("done ");
}

await main();
