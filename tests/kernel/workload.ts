/** Programs with names that nobody else has, so that what they do can be counted exactly. */

import { runTool } from "./oracles.ts";

/** A folder with copies of programs under names of this test process; removed when disposed. */
export class Workload implements Disposable {
  readonly folder: string;
  /** Begins all names: at most 15 characters are left of a name in the kernel. */
  readonly prefix: string;

  constructor() {
    this.prefix = `km${Deno.pid % 1_000_000}_`;
    // /var/tmp is on a disk where /tmp may be in memory.
    this.folder = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "kmeter_test_" });
  }

  /** Copies a program. @returns its new name, which is what the kernel calls its process. */
  copy(program: string, suffix: string): string {
    const name = this.prefix + suffix;
    if (name.length > 15) throw new Error(`BUG: name ${name} is too long`);
    Deno.copyFileSync(Deno.realPathSync(program), this.path(name));
    Deno.chmodSync(this.path(name), 0o755);
    return name;
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Starts a copy in the folder. */
  spawn(name: string, args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command(this.path(name), {
      args: [...args],
      cwd: this.folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Runs a copy to its end, whatever that is. */
  async run(name: string, args: readonly string[]): Promise<Deno.CommandStatus> {
    return await this.spawn(name, args).status;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** State of a process, as /proc/PID/stat has it: `S` sleeps, `T` is stopped. */
export function processState(pid: number): string {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2)[0];
}

/** Threads of one program run on one CPU only. */
export async function pinProcess(pid: number, cpu: number): Promise<void> {
  await runTool("taskset", ["-c", "-p", String(cpu), String(pid)]);
}
