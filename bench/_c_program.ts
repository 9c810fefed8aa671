/** Programs of bench/peers, compiled for one run of the bench. */

import { runToEnd } from "./_child.ts";

const FOLDER = new URL("./peers/", import.meta.url).pathname;

/** A compiled program. Ownership: `using` removes it. */
export class CProgram implements Disposable {
  readonly #folder: string;
  /** Path of the executable; its name is that of the source. */
  readonly path: string;

  private constructor(name: string) {
    this.#folder = Deno.makeTempDirSync();
    this.path = `${this.#folder}/${name}`;
  }

  /** Compiles `peers/NAME.c`. @throws Error with what the compiler says. */
  static async compile(name: string): Promise<CProgram> {
    const program = new CProgram(name);
    const source = `${FOLDER}${name}.c`;
    try {
      await runToEnd([
        ...["cc", "-O2", "-Wall", "-Wextra", "-pthread", source, "-o", program.path, "-lbpf"],
      ]);
      return program;
    } catch (error) {
      program[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
