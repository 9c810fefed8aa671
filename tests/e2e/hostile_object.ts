/** Objects that are damaged, or made by somebody who wants to do harm. */

import { runTool } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";

const HEADER_BYTES = 24;
const TYPE_BYTES = 12;
/** Bytes after a type's three words, by kind: for each of its `vlen`, or once. */
const BYTES_PER_ITEM: Readonly<Record<number, number>> = {
  4: 12,
  5: 12,
  6: 8,
  13: 8,
  15: 12,
  19: 12,
};
const BYTES_ONCE: Readonly<Record<number, number>> = { 1: 4, 3: 12, 14: 4, 17: 4 };

/** `BTF_KIND_*` numbers that the tests look for. */
export const BTF_KIND = { array: 3, struct: 4, typedef: 8 } as const;

/** Bytes of a `.BTF` section, with the means to spoil them; written apart from the parser under test. */
export class BtfEditor {
  #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  #view(): DataView {
    return new DataView(this.#bytes.buffer);
  }

  /** Sets a 32-bit word. */
  setWord(offset: number, value: number): this {
    this.#view().setUint32(offset, value >>> 0, true);
    return this;
  }

  /** A type by kind and name. @returns its id and the offset of its first word. */
  find(kind: number, name: string): { id: number; offset: number } {
    const view = this.#view();
    const end = HEADER_BYTES + view.getUint32(12, true);
    let id = 1;
    for (let offset = HEADER_BYTES; offset < end; id++) {
      const info = view.getUint32(offset + 4, true);
      const found = info >>> 24 & 0x1f;
      if (found === kind && this.#nameAt(view.getUint32(offset, true)) === name) {
        return { id, offset };
      }
      offset += TYPE_BYTES + (info & 0xffff) * (BYTES_PER_ITEM[found] ?? 0) +
        (BYTES_ONCE[found] ?? 0);
    }
    throw new Error(`no type ${name} of kind ${kind}`);
  }

  /** Offset of the name of a struct's member; its type and its place in bits follow. */
  member(struct: string, index: number): number {
    return this.find(BTF_KIND.struct, struct).offset + TYPE_BYTES + index * 12;
  }

  #nameAt(nameOffset: number): string {
    const start = HEADER_BYTES + this.#view().getUint32(16, true) + nameOffset;
    return new TextDecoder().decode(this.#bytes.subarray(start, this.#bytes.indexOf(0, start)));
  }

  /** Adds a string, and makes the word at `offset` name it. */
  rename(offset: number, name: Uint8Array): this {
    const lengthBytes = this.#view().getUint32(20, true);
    const longer = new Uint8Array(this.#bytes.length + name.length + 1);
    longer.set(this.#bytes);
    longer.set(name, this.#bytes.length);
    this.#bytes = longer;
    this.setWord(20, lengthBytes + name.length + 1);
    return this.setWord(offset, lengthBytes);
  }
}

/** Takes the `.BTF` section out of an object. */
export async function readBtf(object: Uint8Array): Promise<Uint8Array> {
  using sandbox = new Sandbox();
  const file = sandbox.write("object.o", object);
  await objcopy(["--dump-section", `.BTF=${sandbox.path("btf")}`, file, sandbox.path("copy.o")]);
  return Deno.readFileSync(sandbox.path("btf"));
}

/** The object with another `.BTF` section. */
export async function withBtf(object: Uint8Array, btf: Uint8Array): Promise<Uint8Array> {
  using sandbox = new Sandbox();
  const file = sandbox.write("object.o", object);
  const section = sandbox.write("btf", btf);
  await objcopy(["--update-section", `.BTF=${section}`, file, sandbox.path("copy.o")]);
  return Deno.readFileSync(sandbox.path("copy.o"));
}

/** The object without its BTF. */
export async function withoutBtf(object: Uint8Array): Promise<Uint8Array> {
  using sandbox = new Sandbox();
  const file = sandbox.write("object.o", object);
  await objcopy([
    "--remove-section=.BTF",
    "--remove-section=.BTF.ext",
    file,
    sandbox.path("copy.o"),
  ]);
  return Deno.readFileSync(sandbox.path("copy.o"));
}

/** llvm-objcopy has a number in its name on Debian. */
async function objcopy(args: readonly string[]): Promise<void> {
  const versions = ["-21", "-20", "-19", "-18", "-17", "-16", ""];
  const tool = versions.map((version) => `/usr/bin/llvm-objcopy${version}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
  if (tool === undefined) throw new Error("there is no llvm-objcopy: run scripts/setup --tests");
  await runTool([tool, ...args]);
}
