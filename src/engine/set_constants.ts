/** Before loading: parameters become constants of the object, and constants size its maps. */

import type { BpfMap, BpfObject } from "../../ffi/mod.ts";
import { FormatError, UsageError } from "../errors.ts";
import { encodeParam } from "../gadget/mod.ts";
import { suggestName } from "../text/mod.ts";
import type { ParsedGadget } from "./parse_gadget.ts";

/** Suffix of a constant that says how many entries the map of the first part has. */
const MAX_ENTRIES_SUFFIX = "_max_entries";

/**
 * Writes every parameter and resizes the maps that a `<map>_max_entries` constant is for.
 * @param params values by flag name; those not given take the gadget's default.
 * @throws UsageError for unknown parameters and bad values.
 */
export function setConstants(
  object: BpfObject,
  context: { gadget: ParsedGadget; params: ReadonlyMap<string, string> },
): void {
  const { gadget, params } = context;
  const known = gadget.spec.params.map(({ key }) => key);
  const unknown = [...params.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new UsageError(`Gadget ${gadget.spec.name} has no parameter --${unknown}`, {
      hint: suggestName(unknown, known, "parameters"),
    });
  }
  const maps = object.maps();
  for (const param of gadget.spec.params) {
    const text = params.get(param.key) ?? param.defaultValue;
    if (text === "") continue;
    constantBytes(gadget, { maps, variable: param.variable }).set(encodeParam(param, text));
  }
  for (const map of maps) resize(gadget, { maps, map });
}

/** The bytes of a constant, writable in place. */
function constantBytes(
  gadget: ParsedGadget,
  { maps, variable }: { maps: readonly BpfMap[]; variable: string },
): Uint8Array {
  const place = gadget.elf.symbols.get(variable);
  const map = maps.find(({ name }) => place !== undefined && name.endsWith(place.section));
  if (place === undefined || map === undefined) {
    throw new FormatError(
      `Cannot set "${variable}" in "${gadget.files.objectFile}": it lies nowhere`,
      {
        hint: "declare it as const volatile, with GADGET_PARAM if it is a parameter",
      },
    );
  }
  return map.initialValue().subarray(place.offsetBytes, place.offsetBytes + place.sizeBytes);
}

function resize(
  gadget: ParsedGadget,
  { maps, map }: { maps: readonly BpfMap[]; map: BpfMap },
): void {
  const variable = map.name + MAX_ENTRIES_SUFFIX;
  const place = gadget.elf.symbols.get(variable);
  if (place?.section.startsWith(".rodata") !== true) return;
  const bytes = constantBytes(gadget, { maps, variable });
  const count = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (count > 0) map.setMaxEntries(count);
}
