/** A command under test as a child process, with its output at hand while it runs. */

import { kmeterCommand } from "./kmeter_command.ts";

/** How a process ended and what it wrote. */
export interface Outcome {
  readonly code: number;
  /** The signal that killed it; null if it ended by itself. */
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process is started. */
export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Put before the command, for example `setpriv` and its arguments. */
  readonly prefix?: readonly string[];
}

const DEFAULT_WAIT_MS = 10_000;
const POLL_MS = 10;

/** A running child. Ownership: `await using` kills it if it still runs. */
export class ChildProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: TextCollector;
  readonly #stderr: TextCollector;
  readonly #ended: Promise<Deno.CommandStatus>;
  #hasEnded = false;

  constructor(command: readonly string[], options: SpawnOptions = {}) {
    const [program, ...args] = [...options.prefix ?? [], ...command];
    this.#child = new Deno.Command(program, {
      args,
      cwd: options.cwd,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new TextCollector(this.#child.stdout);
    this.#stderr = new TextCollector(this.#child.stderr);
    this.#ended = this.#end();
  }

  /** The end of the process and of its output. */
  async #end(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    await Promise.all([this.#stdout.ended, this.#stderr.ended]);
    this.#hasEnded = true;
    return status;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get stdout(): string {
    return this.#stdout.text;
  }

  get stderr(): string {
    return this.#stderr.text;
  }

  /** Waits until a stream matches. Throws: Error with all output if the process ends or takes too long. */
  async waitFor(
    stream: "stdout" | "stderr",
    pattern: RegExp,
    { timeoutMs = DEFAULT_WAIT_MS }: { timeoutMs?: number } = {},
  ): Promise<RegExpExecArray> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const hasEnded = this.#hasEnded;
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (hasEnded || performance.now() > deadlineMs) {
        throw new Error(
          `${stream} never matched ${pattern}; stdout:\n${this.stdout}\nstderr:\n${this.stderr}`,
        );
      }
      await sleep(POLL_MS);
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for the end. Throws: Error with all output after `timeoutMs`; the process is killed then. */
  async finish({ timeoutMs = DEFAULT_WAIT_MS }: { timeoutMs?: number } = {}): Promise<Outcome> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#child.kill("SIGKILL");
    }, timeoutMs);
    const status = await this.#ended;
    clearTimeout(timer);
    const { stdout, stderr } = this;
    if (isLate) {
      throw new Error(
        `still running after ${timeoutMs} ms\nstdout:\n${stdout}\nstderr:\n${stderr}`,
      );
    }
    return { code: status.code, signal: status.signal, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

class TextCollector {
  text = "";
  readonly ended: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#collect(stream);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) this.text += decoder.decode(bytes, { stream: true });
    this.text += decoder.decode();
  }
}

/** Starts kmeter. */
export function startKmeter(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return new ChildProcess([...kmeterCommand(args[0]), ...args], options);
}

/** Runs a tool to its end. Throws: Error if it fails. */
export async function runTool(
  command: readonly string[],
  options: SpawnOptions = {},
): Promise<Outcome> {
  await using child = new ChildProcess(command, options);
  const outcome = await child.finish({ timeoutMs: 60_000 });
  if (outcome.code !== 0) {
    throw new Error(`${command.join(" ")} failed: ${outcome.stdout}${outcome.stderr}`);
  }
  return outcome;
}

export function sleep(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
