/** A child that answers lines with lines, so that what it does can be timed from here. */

/** A running child. Ownership: `end` kills it; so does the end of this process, if it reads its input. */
export class LineChild {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(program: string, args: string[], env: Record<string, string> = {}) {
    this.#process = new Deno.Command(program, { args, env, stdin: "piped", stdout: "piped" })
      .spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Sends a line and waits for the answer. */
  async ask(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.readLine();
  }

  /** Throws: Error if the child has ended. */
  async readLine(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("the child ended without an answer");
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  end(): void {
    this.#process.kill("SIGKILL");
  }
}
