/** Temporary folders, fixture gadgets, and programs with names of their own. */

import { CHECKOUT } from "./kmeter_command.ts";
import { runTool } from "./kmeter_process.ts";

/** A folder that is gone after the test. Ownership: `using`. */
export class Sandbox implements Disposable {
  readonly folder: string;

  /** @param parent folder for the new one; the system's temporary folder if absent. */
  constructor(parent?: string) {
    this.folder = Deno.makeTempDirSync({ prefix: "kmeter_e2e_", ...(parent && { dir: parent }) });
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  /** Writes a file. @returns its path. */
  write(name: string, content: string | Uint8Array): string {
    const file = this.path(name);
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(file, content);
    else Deno.writeFileSync(file, content);
    return file;
  }

  /** A gadget's folder with an object and a gadget.yaml. @returns the folder. */
  gadget(name: string, parts: { object: Uint8Array; metadata: string | Uint8Array }): string {
    this.write(`${name}/program.bpf.o`, parts.object);
    this.write(`${name}/gadget.yaml`, parts.metadata);
    return this.path(name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Folder of a fixture gadget, compiled. */
export async function fixtureGadget(name: string): Promise<string> {
  const folder = `${CHECKOUT}/tests/fixtures/gadgets/${name}`;
  await runTool([`${CHECKOUT}/scripts/build_gadgets`, folder]);
  return folder;
}

/** Bytes of a fixture gadget's object. */
export async function fixtureObject(name: string): Promise<Uint8Array> {
  return Deno.readFileSync(`${await fixtureGadget(name)}/program.bpf.o`);
}

/** A program that does nothing, under a name that no other process has: events of it are the test's own. */
export class NamedProgram implements Disposable {
  readonly name: string;
  readonly #sandbox = new Sandbox();

  constructor() {
    // The kernel keeps 15 letters of a name.
    this.name = `e2e${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
    Deno.copyFileSync("/bin/true", this.#sandbox.path(this.name));
    Deno.chmodSync(this.path, 0o755);
    Deno.chmodSync(this.#sandbox.folder, 0o755);
  }

  get path(): string {
    return this.#sandbox.path(this.name);
  }

  /** Runs it `times` times, one after the other. */
  async run(times: number, args: readonly string[] = []): Promise<void> {
    for (let done = 0; done < times; done++) await runTool([this.path, ...args]);
  }

  [Symbol.dispose](): void {
    this.#sandbox[Symbol.dispose]();
  }
}
