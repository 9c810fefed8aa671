/** The producer of events: peers/producer.c, compiled and run. */

import { CProgram } from "./_c_program.ts";
import { runToEnd } from "./_child.ts";

/** `BPF_PROG_TYPE_SYSCALL`: of the fixture's programs only `fill` is of that type. */
const SYSCALL_PROGRAM_TYPE = 31;

/** What a producer says at its end. */
export interface Produced {
  readonly produced: number;
  /** Events for which the ring had no room. */
  readonly failed: number;
  readonly seconds: number;
}

/** How events are made. */
export interface ProduceOptions {
  readonly seconds: number;
  /** Events a second; 0 or absent for as many as possible. */
  readonly rate?: number;
  /** Keys that the events of `fill` have in turn; 0 for a new key with each event. */
  readonly keys?: number;
  /** Threads that make system calls. */
  readonly threads?: number;
}

/** The compiled producer. Ownership: `using` removes the program. */
export class Producer implements Disposable {
  readonly #program: CProgram;

  private constructor(program: CProgram) {
    this.#program = program;
  }

  /** Compiles it. @throws Error with what the compiler says. */
  static async compile(): Promise<Producer> {
    return new Producer(await CProgram.compile("producer"));
  }

  /** Sends events through program `fill` that process `pid` has loaded. */
  async fill(pid: number, options: ProduceOptions): Promise<Produced> {
    return await this.#run("fill", { ...options, program: syscallProgram(pid) });
  }

  /** Opens a file that is not there, by a process that is called "producer". */
  async open(options: ProduceOptions): Promise<Produced> {
    return await this.#run("openat", options);
  }

  async #run(mode: string, options: ProduceOptions & { program?: number }): Promise<Produced> {
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    // On the last CPU, so that it is the same one in every run; who else runs there is up to the kernel.
    const cpu = options.threads === undefined ? ["--cpu", String(lastCpu())] : [];
    return JSON.parse(await runToEnd([this.#program.path, mode, ...flags, ...cpu]));
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
  }
}

function lastCpu(): number {
  return navigator.hardwareConcurrency - 1;
}

/** Id of the only program of its type that a process has loaded. */
function syscallProgram(pid: number): number {
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fdinfo`)) {
    const info = Deno.readTextFileSync(`/proc/${pid}/fdinfo/${name}`);
    if (!new RegExp(`^prog_type:\\s+${SYSCALL_PROGRAM_TYPE}$`, "m").test(info)) continue;
    const match = /^prog_id:\s+(\d+)$/m.exec(info);
    if (match !== null) return Number(match[1]);
  }
  throw new Error(`process ${pid} has no program fill`);
}
