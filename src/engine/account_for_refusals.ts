/** Decides whether a gadget can do without the programs that were refused, and says what is missing. */

import { type BpfObject, readMapId, readProgramMapIds } from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";
import type { DataSourceSpec, GadgetSpec } from "../gadget/mod.ts";
import { quoteNames } from "../text/mod.ts";
import type { AttachedProgram } from "./attach_programs.ts";
import type { Refusal } from "./refusal.ts";

/** `enum bpf_map_type`: maps that hold maps. Which of those a program fills is not to be told from outside. */
const MAPS_OF_MAPS: ReadonlySet<number> = new Set([12, 13]);

interface Outcome {
  readonly object: BpfObject;
  readonly attached: readonly AttachedProgram[];
  readonly refusals: readonly Refusal[];
}

/** What a gadget does without. */
export interface Shortfall {
  /** What is left out and why, and which data sources stay empty. */
  readonly warnings: readonly { readonly text: string; readonly hint?: string }[];
  /** Names of data sources that nothing feeds: to count zero for them would be a lie. */
  readonly emptySources: ReadonlySet<string>;
}

/**
 * A data source lives as long as a program that uses its map, or one of its iterators, is attached.
 *
 * @throws KernelError, UnsupportedError if no data source lives: the gadget would see nothing.
 */
export function accountForRefusals(spec: GadgetSpec, outcome: Outcome): Shortfall {
  const { attached, refusals } = outcome;
  const isHooked = attached.some(({ links }) => links.length > 0);
  const empty = spec.dataSources.filter((source) => !isFed(source, outcome));
  if (!isHooked || empty.length === spec.dataSources.length) throw asOneError(spec, refusals);
  const warnings: Shortfall["warnings"] = [
    ...refusals.map(({ program, section, error }) => ({
      text: `${spec.name} runs without program ${program} (${section}); ` +
        `--strict makes that an error\n  ${error.message}`,
      hint: error.hint,
    })),
    ...empty.map(({ name }) => ({
      text: `data source ${name} stays empty: no program that feeds it is attached`,
    })),
  ];
  return { warnings, emptySources: new Set(empty.map(({ name }) => name)) };
}

function isFed({ origin }: DataSourceSpec, { object, attached }: Outcome): boolean {
  if (origin.kind === "iter") {
    return attached.some(({ program }) => origin.programs.includes(program.name));
  }
  const maps = object.maps();
  const used = new Set(attached.flatMap(({ program }) => [...readProgramMapIds(program.fd)]));
  return maps.some((map) =>
    (map.name === origin.map || MAPS_OF_MAPS.has(map.type)) && used.has(readMapId(map.fd))
  );
}

/** The first refusal with its hint; of the others the names. */
function asOneError(spec: GadgetSpec, refusals: readonly Refusal[]): Refusal["error"] {
  const [{ error }, ...others] = refusals;
  if (others.length === 0 || !(error instanceof KernelError)) return error;
  const { call, errno, program, hint } = error;
  const names = quoteNames(others.map((refusal) => refusal.program));
  return new KernelError(
    `${error.message}\n  nothing of ${spec.name} is left to run: refused as well: ${names}`,
    { call, errno, program, hint, cause: error },
  );
}
