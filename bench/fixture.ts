/** Loads a test gadget for a bench, without the engine around it. */

import { BpfObject, runProgram } from "../ffi/mod.ts";
import { type ParsedGadget, parseGadget } from "../src/engine/mod.ts";

/** Folder of the test gadgets. */
export const FIXTURES: string = new URL("../tests/fixtures/gadgets/", import.meta.url).pathname;

/** A loaded test gadget. */
export interface Fixture {
  readonly gadget: ParsedGadget;
  readonly object: BpfObject;
  /** Runs program `fill` with a context of u64 numbers. */
  fill(...numbers: number[]): Promise<void>;
}

/** Builds the gadget if need be and loads it. It stays loaded until the process ends. */
export function loadFixture(name: string): Fixture {
  const folder = FIXTURES + name;
  const build = new URL("../scripts/build_gadgets", import.meta.url).pathname;
  const { success, stderr } = new Deno.Command(build, { args: [folder] }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const gadget = parseGadget(folder, []);
  const object = new BpfObject(gadget.files.object, { name });
  object.load();
  const program = object.programs().find((candidate) => candidate.name === "fill");
  if (program === undefined) throw new Error(`fixture ${name} has no program fill`);
  return {
    gadget,
    object,
    fill: async (...numbers) => {
      const context = new Uint8Array(BigUint64Array.from(numbers, BigInt).buffer);
      await runProgram(program.fd, context);
    },
  };
}
