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
  /** The process; another one than `worker.ts` tests this runner. */
  readonly worker?: URL;
  /** A worker that says nothing for so long hangs; default half a minute. */
  readonly silenceMaxMs?: number;
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
    const run = await runWorker(target, { ...options, seed, seconds, count: endSeed - seed });
    for (const finding of run.findings) {
      // The same fault is told once.
      const fault = finding.what.split("\n")[0].replaceAll(/\d+|".*"/g, "#").slice(0, 60);
      if (!known.has(fault)) findings.push(finding);
      known.add(fault);
    }
    seed = run.nextSeed;
    if (run.isStuck) break;
  }
  return { inputs: seed - options.firstSeed, findings };
}

interface WorkerRun {
  readonly findings: FuzzFinding[];
  readonly nextSeed: number;
  /** True if it died before its first input: so would the next one. */
  readonly isStuck: boolean;
}

async function runWorker(
  target: string,
  from: Omit<FuzzOptions, "firstSeed"> & { seed: number },
): Promise<WorkerRun> {
  const { worker: script = new URL("worker.ts", import.meta.url), silenceMaxMs = 30_000 } = from;
  // What the worker leaves behind when it dies goes with it.
  const folder = await Deno.makeTempDir({ prefix: "kmeter_fuzz_" });
  const worker = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--quiet",
      script.pathname,
      ...[target, from.seed, from.seconds, from.count].map(String),
    ],
    env: { TMPDIR: folder },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(worker.stderr).text();
  const findings: FuzzFinding[] = [];
  let input = "";
  let nextSeed = from.seed;
  let isDone = false;
  let isHanging = false;
  const hang = () => {
    isHanging = true;
    worker.kill("SIGKILL");
  };
  let timer = setTimeout(hang, silenceMaxMs);
  for await (const line of linesOf(worker.stdout)) {
    clearTimeout(timer);
    timer = setTimeout(hang, silenceMaxMs);
    const [word, rest] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)];
    if (word === "failed") findings.push({ input, what: JSON.parse(rest) });
    else if (word === "done") isDone = true;
    else if (word === "seed" || word === "file") input = line;
    if (word === "seed") nextSeed = Number(rest) + 1;
  }
  clearTimeout(timer);
  const { code, signal } = await worker.status;
  await Deno.remove(folder, { recursive: true });
  if (isHanging) findings.push({ input, what: `hangs: nothing for ${silenceMaxMs} ms` });
  else if (!isDone || code !== 0) {
    findings.push({ input, what: `the process died: ${signal ?? code}\n${await stderr}` });
  }
  await stderr;
  return { findings, nextSeed, isStuck: nextSeed === from.seed };
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
