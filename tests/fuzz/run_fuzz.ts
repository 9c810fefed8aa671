/** Runs a fuzzer in a process of its own, which hostile input may kill or hang. */

import { Random } from "../unit/random.ts";
import { loadTarget } from "./targets/mod.ts";

/** How long and from where. */
export interface FuzzOptions {
  readonly firstSeed: number;
  readonly seconds: number;
  /** Inputs at most. */
  readonly count: number;
  /** Findings after which enough is known. */
  readonly findingsMax: number;
}

/** An input that broke its property. */
export interface FuzzFinding {
  /** `seed 17`, or `file NAME` of the corpus. */
  readonly input: string;
  readonly what: string;
}

export interface FuzzOutcome {
  readonly inputs: number;
  readonly findings: readonly FuzzFinding[];
}

/** A worker that says nothing for so long hangs. */
const SILENCE_MAX_MS = 30_000;

/** Fuzzes one target. A process that dies or hangs is a finding, and another one goes on behind it. */
export async function runFuzz(target: string, options: FuzzOptions): Promise<FuzzOutcome> {
  const findings: FuzzFinding[] = [];
  const known = new Set<string>();
  const endMs = performance.now() + options.seconds * 1000;
  const endSeed = options.firstSeed + options.count;
  let seed = options.firstSeed;
  while (seed < endSeed && findings.length < options.findingsMax) {
    const seconds = (endMs - performance.now()) / 1000;
    if (seconds <= 0) break;
    const run = await runWorker(target, { seed, seconds, count: endSeed - seed });
    for (const finding of run.findings) {
      // The same fault is told once.
      const fault = finding.what.split("\n")[0].replaceAll(/\d+|".*"/g, "#").slice(0, 60);
      if (!known.has(fault)) findings.push(finding);
      known.add(fault);
    }
    seed = run.nextSeed;
    if (run.isComplete) break;
  }
  return { inputs: seed - options.firstSeed, findings };
}

interface WorkerRun {
  readonly findings: FuzzFinding[];
  readonly nextSeed: number;
  readonly isComplete: boolean;
}

async function runWorker(
  target: string,
  from: { seed: number; seconds: number; count: number },
): Promise<WorkerRun> {
  const worker = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--quiet",
      new URL("worker.ts", import.meta.url).pathname,
      ...[target, from.seed, from.seconds, from.count].map(String),
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(worker.stderr).text();
  const findings: FuzzFinding[] = [];
  let input = "";
  let nextSeed = from.seed;
  let isComplete = false;
  let isHanging = false;
  const hang = () => {
    isHanging = true;
    worker.kill("SIGKILL");
  };
  let timer = setTimeout(hang, SILENCE_MAX_MS);
  for await (const line of linesOf(worker.stdout)) {
    clearTimeout(timer);
    timer = setTimeout(hang, SILENCE_MAX_MS);
    const [word, rest] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
    if (word === "failed") findings.push({ input, what: JSON.parse(rest) });
    else if (word === "done") isComplete = true;
    else input = line;
    if (word === "seed") nextSeed = Number(rest) + 1;
  }
  clearTimeout(timer);
  const { code, signal } = await worker.status;
  if (isHanging) findings.push({ input, what: `hangs: nothing for ${SILENCE_MAX_MS} ms` });
  else if (!isComplete || code !== 0) {
    findings.push({ input, what: `the process died: ${signal ?? code}\n${await stderr}` });
    // What dies before its first input would do so for ever.
    if (input === "" || input.startsWith("file")) isComplete = true;
  }
  await stderr;
  return { findings, nextSeed, isComplete };
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Makes the input of a seed again. */
export async function remakeInput(target: string, seed: number): Promise<Uint8Array<ArrayBuffer>> {
  const loaded = await loadTarget(target);
  return loaded.make(new Random(seed));
}
