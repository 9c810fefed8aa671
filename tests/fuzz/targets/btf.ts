/** Raw BTF: everything that its bytes can reach is parsed, derived, and read from random records. */

import { parseBtf } from "../../../src/btf/mod.ts";
import {
  deriveFields,
  type Field,
  readField,
  readKeyWords,
  type RecordBytes,
} from "../../../src/decode/mod.ts";
import { Random } from "../../unit/random.ts";
import { mutateBytes, type Region } from "../mutate.ts";
import { type FuzzTarget, parseOrRefuse } from "../target.ts";
import { builtinObjects } from "./seeds.ts";

/** Records above it are refused or not; reading them would only cost time. */
const RECORD_MAX_BYTES = 1 << 16;
const HEADER_BYTES = 24;

const seeds = [
  Deno.readFileSync(new URL("../../fixtures/btf/shapes.btf", import.meta.url)),
  ...builtinObjects().map(({ btf }) => btf),
];

export const btfTarget: FuzzTarget = {
  name: "btf",
  make: (random) => {
    const seed = random.pick(seeds);
    return mutateBytes(random, seed, btfRegions(seed));
  },
  check(bytes) {
    // The hint is the same for all damage: whoever knows the file gives it.
    const options = { needsHint: false };
    const btf = parseOrRefuse(() => parseBtf(bytes), options);
    if (btf === undefined) return;
    for (let id = 0; id < btf.typeCount; id++) {
      const derived = parseOrRefuse(() => deriveFields(btf, id, { segment: 0 }), options);
      if (derived !== undefined && derived.sizeBytes <= RECORD_MAX_BYTES) readAll(derived);
    }
  },
};

/** The header, the types and the strings. */
export function btfRegions(btf: Uint8Array, offset = 0): Region[] {
  const view = new DataView(btf.buffer, btf.byteOffset, btf.byteLength);
  const types = offset + HEADER_BYTES;
  const strings = types + view.getUint32(16, true);
  return [
    { begin: offset, end: types },
    { begin: types, end: strings },
    { begin: types, end: strings },
    { begin: strings, end: strings + view.getUint32(20, true) },
  ];
}

/** The record's view ends with the record: a read outside of it throws. */
function readAll(derived: { fields: readonly Field[]; sizeBytes: number }): void {
  const bytes = new Random(derived.sizeBytes).bytes(derived.sizeBytes);
  const record: RecordBytes = { segments: [new DataView(bytes.buffer)], offsets: [0, 0] };
  for (const field of derived.fields) {
    readField(field, record);
    readKeyWords(field, record);
  }
}
