/** Reads the few protobuf messages that collectors answer with. */

import { FormatError } from "../../errors.ts";

/** One field: a number, or the bytes of a string or message. */
export interface ProtobufField {
  readonly field: number;
  readonly number: bigint;
  readonly bytes: Uint8Array;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Fields of a message, in their order. Throws: FormatError. */
export function* readFields(message: Uint8Array): Generator<ProtobufField> {
  let position = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (position >= message.length) throw fault(position);
      const byte = message[position++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw fault(position);
  };
  const skip = (size: number): Uint8Array => {
    const end = position + size;
    if (end > message.length) throw fault(position);
    const bytes = message.subarray(position, end);
    position = end;
    return bytes;
  };
  while (position < message.length) {
    const tag = Number(readVarint());
    const field = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { field, number: readVarint(), bytes: NO_BYTES };
        break;
      case 1:
        yield { field, number: 0n, bytes: skip(8) };
        break;
      case 2:
        yield { field, number: 0n, bytes: skip(Number(readVarint())) };
        break;
      case 5:
        yield { field, number: 0n, bytes: skip(4) };
        break;
      default:
        throw fault(position);
    }
  }
}

/** Bytes of the last such field; none if it is absent. */
export function bytesOf(message: Uint8Array, field: number): Uint8Array {
  return readFields(message).reduce(
    (found, each) => each.field === field ? each.bytes : found,
    NO_BYTES,
  );
}

/** Number in the last such field; 0 if it is absent. */
export function numberOf(message: Uint8Array, field: number): number {
  const number = readFields(message).reduce(
    (found, each) => each.field === field ? each.number : found,
    0n,
  );
  return Number(BigInt.asIntN(64, number));
}

export function textOf(message: Uint8Array, field: number): string {
  return new TextDecoder().decode(bytesOf(message, field));
}

function fault(offset: number): FormatError {
  return new FormatError("No protobuf message", { offset });
}
