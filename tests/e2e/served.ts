/** `kmeter serve` under test. */

import { type ChildProcess, type Outcome, startKmeter } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";

/** A server with a file and a socket of its own. */
export class Served implements AsyncDisposable {
  readonly sandbox = new Sandbox();
  readonly kmeter: ChildProcess;
  readonly #file: string;

  constructor(gadgets: string) {
    this.#file = this.sandbox.write("kmeter.yaml", this.#text(gadgets));
    this.kmeter = startKmeter(["serve", "-f", this.#file]);
  }

  #text(gadgets: string): string {
    return `listen: 127.0.0.1:0\nsocket: ${this.socket}\n${gadgets}`;
  }

  get socket(): string {
    return this.sandbox.path("kmeter.sock");
  }

  /** Changes the file. Resolves when the server has read it. */
  async change(gadgets: string, told: RegExp): Promise<void> {
    this.sandbox.write("kmeter.yaml", this.#text(gadgets));
    await this.kmeter.waitFor("stderr", told);
  }

  /** Runs a command that talks to the server. */
  async ask(...args: readonly string[]): Promise<Outcome> {
    await using command = startKmeter([...args, "--socket", this.socket]);
    return await command.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kmeter[Symbol.asyncDispose]();
    this.sandbox[Symbol.dispose]();
  }
}

/** Events of one program in the metrics of one instance of trace_exec. */
export function execsOf(page: string, instance: string, comm: string): number {
  const line = page.split("\n").find((line) =>
    line.startsWith(`execs_total{otel_scope_name="${instance}/exec",comm="${comm}",error=""}`)
  );
  return Number(line?.split(" ").at(-1) ?? 0);
}
