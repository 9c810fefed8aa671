/** kmeter on a terminal of its own. */

import { type ChildProcess, runTool, sleep, startKmeter } from "./kmeter_process.ts";

/** Needed for terminals. */
export const PYTHON = "/usr/bin/python3";
const RUN_ON_PTY = decodeURIComponent(new URL("run_on_pty.py", import.meta.url).pathname);

/** In characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** Both streams of kmeter are the terminal: `output.stdout` has what came there. Ownership: `await using` kills it. */
export class TerminalProcess implements AsyncDisposable {
  readonly output: ChildProcess;
  /** Of what is looked for: what came before does not count. */
  #from = 0;

  constructor(
    args: readonly string[],
    { rows, columns, env = {} }: TerminalSize & { env?: Readonly<Record<string, string>> },
  ) {
    this.output = startKmeter(args, {
      prefix: [PYTHON, RUN_ON_PTY, String(rows), String(columns)],
      env: { TERM: "xterm", ...env },
    });
  }

  /** What came since the last change of size. */
  get text(): string {
    return this.output.stdout.slice(this.#from);
  }

  /** Waits until what came since the last change of size matches, and does something again and again meanwhile. */
  async waitFor(pattern: RegExp, meanwhile = () => Promise.resolve()): Promise<void> {
    const deadlineMs = performance.now() + 20_000;
    while (!pattern.test(this.text)) {
      if (performance.now() > deadlineMs || this.output.hasEnded) {
        throw new Error(`the terminal never matched ${pattern}: ${JSON.stringify(this.text)}`);
      }
      await meanwhile();
      await sleep(20);
    }
  }

  async resize({ rows, columns }: TerminalSize): Promise<void> {
    const path = `/proc/${await this.#pid()}/fd/0`;
    this.#from = this.output.stdout.length;
    await runTool(["stty", "-F", path, "rows", String(rows), "columns", String(columns)]);
  }

  async kill(signal: Deno.Signal): Promise<void> {
    Deno.kill(await this.#pid(), signal);
  }

  async #pid(): Promise<number> {
    return Number((await this.output.waitFor("stderr", /^\d+(?=\n)/))[0]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.output[Symbol.asyncDispose]();
  }
}
