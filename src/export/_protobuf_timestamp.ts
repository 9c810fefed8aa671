/** A google.protobuf.Timestamp as a field of another message. */

import { type ByteRun, byteRunOf, ByteWriter } from "./_byte_writer.ts";

const SECONDS = 1 << 3;
const NANOS = 2 << 3;

const MAX_BYTES = 32;

/** Tag, length and message of a Unix time in ms. */
export function timestampField(tag: number, unixMs: number): ByteRun {
  const out = new ByteWriter(MAX_BYTES);
  out.byte(tag);
  const start = out.position;
  out.byte(0);
  out.byte(SECONDS);
  out.varint(Math.floor(unixMs / 1000));
  out.byte(NANOS);
  out.varint(unixMs % 1000 * 1e6);
  out.setByte(start, out.position - start - 1);
  return byteRunOf(out.written());
}
