/** Loads a gadget's object, without the programs that this kernel refuses. */

import { BpfObject } from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";
import { prepareProgram } from "./attach_programs.ts";
import { adaptEventMaps } from "./event_maps.ts";
import { withLoadHint } from "./load_hint.ts";
import type { ParsedGadget } from "./parse_gadget.ts";
import { type Refusal, toRefusal } from "./refusal.ts";
import type { RunOptions } from "./run_options.ts";
import { setConstants } from "./set_constants.ts";

/** Programs that loading does without: with more of them, a hostile object would keep the kernel busy. */
export const MAX_REFUSALS = 64;

/** Ownership: the caller closes the object. */
export interface LoadedObject {
  readonly object: BpfObject;
  /** Programs that are not loaded. */
  readonly refusals: Refusal[];
}

/**
 * Opens, adjusts and loads. libbpf loads all programs or none, and a failed load spoils the object: each
 * program that is refused costs another try without it, of which there are at most `MAX_REFUSALS`.
 *
 * @throws KernelError if it is no single program's fault, one too many, or `strict`; UsageError for bad
 * parameters.
 */
export function loadObject(
  gadget: ParsedGadget,
  options: Pick<RunOptions, "params" | "btfFile" | "strict">,
): LoadedObject {
  const refusals: Refusal[] = [];
  for (;;) {
    const object = new BpfObject(gadget.files.object, {
      name: gadget.spec.name,
      btfFile: options.btfFile,
    });
    try {
      adaptEventMaps(object.maps(), { gadget, btfFile: options.btfFile });
      const refusal = tryLoad(object, { gadget, refusals, params: options.params });
      if (refusal === undefined) return { object, refusals };
      if (options.strict || refusals.length === MAX_REFUSALS) throw refusal.error;
      refusals.push(refusal);
    } catch (error) {
      object.close();
      throw error;
    }
    object.close();
  }
}

/** @returns the program that is refused; undefined if the object is loaded. */
function tryLoad(
  object: BpfObject,
  context: { gadget: ParsedGadget; refusals: readonly Refusal[]; params: RunOptions["params"] },
): Refusal | undefined {
  const { gadget, params } = context;
  const refused = new Set(context.refusals.map(({ program }) => program));
  const programs = object.programs();
  for (const program of programs) {
    if (refused.has(program.name)) {
      program.setAutoload(false);
      continue;
    }
    try {
      prepareProgram(program, gadget.spec);
    } catch (error) {
      return toRefusal(program, error);
    }
  }
  setConstants(object, { gadget, params });
  try {
    object.load();
    return undefined;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    const name = error.program;
    // One that is left out already cannot be the cause.
    const program = programs.find((candidate) => candidate.name === name && !refused.has(name));
    if (program === undefined) throw withLoadHint(error);
    return toRefusal(program, error);
  }
}
