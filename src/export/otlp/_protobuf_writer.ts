/** Writes protobuf: fields one after the other, messages within messages. */

const INITIAL_BYTES = 64 * 1024;
const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_LENGTH = 2;
/** A varint of 64 bits. */
const MAX_VARINT_BYTES = 10;

/** A message of any depth. A message that has begun must be ended before the one around it. */
export class ProtobufWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #position = 0;
  readonly #encoder = new TextEncoder();

  get length(): number {
    return this.#position;
  }

  /** A copy of all that was written; the writer is empty then. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#position);
    this.#position = 0;
    return bytes;
  }

  /** Begins a message. @returns what `end` wants. */
  begin(field: number): number {
    this.#tag(field, WIRE_LENGTH);
    this.#makeRoom(1);
    return ++this.#position;
  }

  /** Ends a message. Cost: moves it if it is longer than 127 bytes. */
  end(start: number): void {
    const length = this.#position - start;
    const extra = varintBytes(length) - 1;
    if (extra > 0) {
      this.#makeRoom(extra);
      this.#bytes.copyWithin(start + extra, start, this.#position);
    }
    this.#position = start - 1;
    this.#varint(length);
    this.#position += length;
  }

  string(field: number, text: string): void {
    // UTF-16 units take three bytes at most.
    this.#makeRoom(3 * text.length + 2 * MAX_VARINT_BYTES);
    const start = this.begin(field);
    if (!this.#writeAscii(text)) {
      this.#position = start +
        this.#encoder.encodeInto(text, this.#bytes.subarray(start)).written;
    }
    this.end(start);
  }

  /** Most labels are short: the encoder's view of the buffer would cost more than all else. */
  #writeAscii(text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      this.#bytes[this.#position++] = unit;
    }
    return true;
  }

  bool(field: number, value: boolean): void {
    this.#tag(field, WIRE_VARINT);
    this.#varint(value ? 1 : 0);
  }

  uint64(field: number, value: bigint): void {
    this.#tag(field, WIRE_VARINT);
    this.#varint64(value);
  }

  sint32(field: number, value: number): void {
    this.#tag(field, WIRE_VARINT);
    this.#varint((value << 1 ^ value >> 31) >>> 0);
  }

  /** For fixed64 and, in two's complement, sfixed64. */
  fixed64(field: number, value: bigint): void {
    this.#tag(field, WIRE_FIXED64);
    this.#putFixed64(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, WIRE_FIXED64);
    this.#putDouble(value);
  }

  packedFixed64(field: number, values: readonly bigint[]): void {
    const start = this.begin(field);
    for (const value of values) this.#putFixed64(value);
    this.end(start);
  }

  packedDouble(field: number, values: Float64Array): void {
    const start = this.begin(field);
    for (const value of values) this.#putDouble(value);
    this.end(start);
  }

  packedUint64(field: number, values: readonly bigint[]): void {
    const start = this.begin(field);
    for (const value of values) this.#varint64(value);
    this.end(start);
  }

  #putFixed64(value: bigint): void {
    this.#makeRoom(8);
    this.#view.setBigUint64(this.#position, value, true);
    this.#position += 8;
  }

  #putDouble(value: number): void {
    this.#makeRoom(8);
    this.#view.setFloat64(this.#position, value, true);
    this.#position += 8;
  }

  #tag(field: number, wire: number): void {
    this.#varint(field << 3 | wire);
  }

  /** Of 32 bits, unsigned. */
  #varint(value: number): void {
    this.#makeRoom(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#position++] = rest & 0x7f | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#position++] = rest;
  }

  #varint64(value: bigint): void {
    this.#makeRoom(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > 0x7fn) {
      this.#bytes[this.#position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#position++] = Number(rest);
  }

  #makeRoom(sizeBytes: number): void {
    const needed = this.#position + sizeBytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#position));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
