/** What a protobuf MetricFamily (io.prometheus.client) says before its metrics. */

import { ByteWriter } from "./_byte_writer.ts";

const NAME = 1 << 3 | 2;
const HELP = 2 << 3 | 2;
const TYPE = 3 << 3;
const UNIT = 5 << 3 | 2;

/** Values of MetricType. */
const TYPES: ReadonlyMap<string, number> = new Map([
  ["counter", 0],
  ["gauge", 1],
  ["histogram", 4],
]);
const UNTYPED = 3;

/** Tags, lengths and the type. */
const MAX_FRAME_BYTES = 32;

const encoder = new TextEncoder();

/** Description of a family. */
export interface FamilyDescription {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly unit: string;
}

/** The fields before the metrics. Unknown types are untyped. */
export function familyHeader({ name, help, type, unit }: FamilyDescription): Uint8Array {
  const texts = [[NAME, name], [HELP, help], [UNIT, unit]] as const;
  const encoded = texts.map(([tag, text]) => [tag, encoder.encode(text)] as const);
  const size = encoded.reduce((sum, [, bytes]) => sum + bytes.length, MAX_FRAME_BYTES);
  const out = new ByteWriter(0);
  out.makeRoom(size);
  for (const [tag, bytes] of encoded) {
    if (bytes.length === 0) continue;
    out.byte(tag);
    out.varint(bytes.length);
    out.bytes(bytes);
  }
  out.byte(TYPE);
  out.varint(TYPES.get(type) ?? UNTYPED);
  return out.written();
}
