/** Inputs that are right, to be spoilt: the built-in gadgets. */

import { readElf } from "../../../ffi/mod.ts";
import { type ParsedGadget, parseGadget } from "../../../src/engine/mod.ts";
import { builtinNames } from "../../../src/engine/gadget_files.ts";

/** A built-in gadget's object and its BTF. */
export interface BuiltinObject {
  readonly object: Uint8Array<ArrayBuffer>;
  readonly btf: Uint8Array;
}

/** The built-in gadgets, parsed. */
export function builtinGadgets(): ParsedGadget[] {
  return builtinNames().map((name) => parseGadget(name, []));
}

export function builtinObjects(): BuiltinObject[] {
  return builtinGadgets().map(({ files: { object, objectFile } }) => {
    const btf = readElf(object, objectFile).sections.get(".BTF");
    if (btf === undefined) throw new Error(`${objectFile} has no BTF`);
    return { object, btf: btf.slice() };
  });
}
