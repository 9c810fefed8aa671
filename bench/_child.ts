/** A child process whose lines are seen the moment they are written, so that they can be timed. */

/** Output streams of a child. */
export type StreamName = "stdout" | "stderr";

interface Waiter {
  readonly stream: StreamName;
  readonly pattern: RegExp;
  readonly found: (match: RegExpExecArray) => void;
  readonly fail: (error: Error) => void;
}

const WAIT_MS = 20_000;
/** Lines kept for error messages. */
const KEPT_LINES = 20;

/** Signals that end a bench: they end its children first, and what waits for those then fails. */
const END_SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A running child. Ownership: `await using` kills it if it still runs. */
export class Child implements AsyncDisposable {
  readonly #command: readonly string[];
  readonly #process: Deno.ChildProcess;
  readonly #onLine: (stream: StreamName, line: string) => void;
  readonly #waiters = new Set<Waiter>();
  readonly #lastLines: string[] = [];
  readonly #ended: Promise<Deno.CommandStatus>;
  #hasEnded = false;
  readonly #onSignal = (): void => {
    try {
      if (!this.#hasEnded) this.#process.kill("SIGTERM");
    } catch (error) {
      // It has ended, and nobody has been told yet.
      if (!(error instanceof TypeError)) throw error;
    }
  };

  /** Starts it. `onLine` sees every line, without its end. */
  constructor(
    command: readonly string[],
    onLine: (stream: StreamName, line: string) => void = () => {},
  ) {
    this.#command = command;
    this.#onLine = onLine;
    const [program, ...args] = command;
    this.#process = new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    for (const signal of END_SIGNALS) Deno.addSignalListener(signal, this.#onSignal);
    this.#ended = this.#end();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Waits for a line of `stream` that comes from now on. @throws Error with the last output. */
  async waitForLine(stream: StreamName, pattern: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const waiter = { stream, pattern, found: resolve, fail: reject };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => reject(this.#error(`never wrote ${pattern}`)), WAIT_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** Waits for its end. @throws Error with the last output if it fails. */
  async finish(): Promise<void> {
    const status = await this.#ended;
    if (!status.success) throw this.#error(`ended with ${status.signal ?? status.code}`);
  }

  /** Asks it to end by SIGTERM and waits. @throws Error if it fails, or has ended already. */
  async stop(): Promise<void> {
    if (this.#hasEnded) throw this.#error("ended too early");
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), WAIT_MS);
    try {
      await this.finish();
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#process.kill("SIGKILL");
    await this.#ended;
  }

  async #end(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      this.#process.status,
      this.#read("stdout"),
      this.#read("stderr"),
    ]);
    this.#hasEnded = true;
    for (const signal of END_SIGNALS) Deno.removeSignalListener(signal, this.#onSignal);
    for (const waiter of this.#waiters) waiter.fail(this.#error(`ended before ${waiter.pattern}`));
    return status;
  }

  async #read(stream: StreamName): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.#process[stream]) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(stream, line);
    }
    if (rest !== "") this.#take(stream, rest);
  }

  #take(stream: StreamName, line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
    this.#onLine(stream, line);
    for (const waiter of this.#waiters) {
      const match = waiter.stream === stream ? waiter.pattern.exec(line) : null;
      if (match !== null) waiter.found(match);
    }
  }

  #error(what: string): Error {
    return new Error([`${this.#command.join(" ")} ${what}:`, ...this.#lastLines].join("\n"));
  }
}

/** Runs a command to its end. @returns its standard output. @throws Error if it fails. */
export async function runToEnd(command: readonly string[]): Promise<string> {
  const lines: string[] = [];
  await using child = new Child(command, (stream, line) => {
    if (stream === "stdout") lines.push(line);
  });
  await child.finish();
  return lines.join("\n");
}

export function sleep(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
