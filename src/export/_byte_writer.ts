/** The output buffer of a page: ready bytes are copied in, numbers are formatted in place. */

import { doubleText } from "./_number_text.ts";

/** Room that every number fits in. */
export const MAX_NUMBER_BYTES = 32;

/** Copies move whole words, so every buffer they touch has this much room behind its text. */
export const COPY_SLACK_BYTES = 8;

/** Place of a length that is known only behind what it measures: below 2^28. */
export const LENGTH_BYTES = 4;

const MAX_SAFE_HIGH_WORD = 0x1f_ffff;

const DIGIT_PAIRS = new Uint8Array(200);
for (let pair = 0; pair < 100; pair++) {
  DIGIT_PAIRS[2 * pair] = 48 + Math.floor(pair / 10);
  DIGIT_PAIRS[2 * pair + 1] = 48 + pair % 10;
}

/** Text bytes somewhere in a buffer with {@linkcode COPY_SLACK_BYTES} behind them. May be a reused cursor. */
export interface ByteRun {
  readonly view: DataView;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Encodes text once, for many copies. */
export function byteRun(text: string): ByteRun {
  return byteRunOf(new TextEncoder().encode(text));
}

/** Copies bytes once, for many copies. */
export function byteRunOf(encoded: Uint8Array): ByteRun {
  const bytes = new Uint8Array(encoded.length + COPY_SLACK_BYTES);
  bytes.set(encoded);
  return { view: new DataView(bytes.buffer), offsetBytes: 0, lengthBytes: encoded.length };
}

/**
 * Writes text into one buffer. What writes does not check for room: ask {@linkcode makeRoom} once for
 * all that a label set needs, since writes behind a typed array's end vanish silently.
 */
export class ByteWriter {
  readonly #usualBytes: Uint8Array<ArrayBuffer>;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #position = 0;

  constructor(capacityBytes: number) {
    this.#usualBytes = new Uint8Array(capacityBytes);
    this.#bytes = this.#usualBytes;
    this.#view = new DataView(this.#bytes.buffer);
  }

  get position(): number {
    return this.#position;
  }

  /** Empties the buffer, and gives up what {@linkcode makeRoom} added. */
  clear(): void {
    this.#position = 0;
    if (this.#bytes !== this.#usualBytes) this.#use(this.#usualBytes);
  }

  /** Takes back what was written behind `position`. */
  rewind(position: number): void {
    this.#position = position;
  }

  /** What was written. Ownership: lent, overwritten after {@linkcode clear}. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#position);
  }

  /** False if what is in the buffer must leave first. What is larger than the buffer makes it grow. */
  makeRoom(sizeBytes: number): boolean {
    const neededBytes = this.#position + sizeBytes + COPY_SLACK_BYTES;
    if (neededBytes <= this.#bytes.length) return true;
    if (this.#position > 0) return false;
    this.#use(new Uint8Array(neededBytes));
    return true;
  }

  /** Makes the buffer larger, with what is in it, until so much more fits. Cost: copies. */
  grow(sizeBytes: number): void {
    const neededBytes = this.#position + sizeBytes + COPY_SLACK_BYTES;
    if (neededBytes <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(neededBytes, 2 * this.#bytes.length));
    bytes.set(this.written());
    this.#use(bytes);
  }

  copy(run: ByteRun): void {
    const { view: source, offsetBytes, lengthBytes } = run;
    const target = this.#view;
    const start = this.#position;
    // Eight bytes at a time: 21 ns for 146 bytes, against 73 ns for set(subarray()). Optimized code
    // keeps these BigInts in registers.
    for (let done = 0; done < lengthBytes; done += 8) {
      target.setBigUint64(start + done, source.getBigUint64(offsetBytes + done, true), true);
    }
    this.#position = start + lengthBytes;
  }

  bytes(source: Uint8Array): void {
    this.#bytes.set(source, this.#position);
    this.#position += source.length;
  }

  byte(code: number): void {
    this.#bytes[this.#position++] = code;
  }

  /** Overwrites a byte that was written before. */
  setByte(position: number, code: number): void {
    this.#bytes[position] = code;
  }

  ascii(text: string): void {
    const bytes = this.#bytes;
    const start = this.#position;
    for (let index = 0; index < text.length; index++) bytes[start + index] = text.charCodeAt(index);
    this.#position = start + text.length;
  }

  /** A protobuf varint of a whole number that a double holds exactly. */
  varint(value: number): void {
    const bytes = this.#bytes;
    let position = this.#position;
    let rest = value;
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) bytes[position++] = rest & 127 | 128;
    let low = rest | 0;
    for (; low > 127; low >>>= 7) bytes[position++] = low & 127 | 128;
    bytes[position] = low;
    this.#position = position + 1;
  }

  /** A protobuf varint of a 64-bit integer, exact, from its 32-bit halves. */
  varint64(low: number, high: number): void {
    if (high <= MAX_SAFE_HIGH_WORD) {
      this.varint(high * 4294967296 + low);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(high) << 32n | BigInt(low));
    for (; rest > 127n; rest >>= 7n) this.byte(Number(rest & 127n) | 128);
    this.byte(Number(rest));
  }

  /** A double in eight bytes, little endian. */
  float64(value: number): void {
    this.#view.setFloat64(this.#position, value, true);
    this.#position += 8;
  }

  /** Leaves {@linkcode LENGTH_BYTES} for {@linkcode endLength}; returns where. */
  beginLength(): number {
    const start = this.#position;
    this.#position = start + LENGTH_BYTES;
    return start;
  }

  /** Writes how much came behind {@linkcode beginLength}, as a varint that is padded to its place. */
  endLength(start: number): void {
    const size = this.#position - start - LENGTH_BYTES;
    const padded = size & 127 | (size & 0x3f80) << 1 | (size & 0x1f_c000) << 2 |
      (size & 0xfe0_0000) << 3;
    this.#view.setUint32(start, padded | 0x80_8080, true);
  }

  /** A 64-bit integer in decimal, exact, from its 32-bit halves. */
  uint64(low: number, high: number): void {
    if (high <= MAX_SAFE_HIGH_WORD) this.#safeInteger(high * 4294967296 + low);
    else this.ascii(((BigInt(high) << 32n) | BigInt(low)).toString());
  }

  /** A two's complement 64-bit integer in decimal, exact, from its 32-bit halves. */
  int64(low: number, high: number): void {
    if (high < 0x8000_0000) {
      this.uint64(low, high);
      return;
    }
    this.byte(45);
    this.uint64(-low >>> 0, (~high + (low === 0 ? 1 : 0)) >>> 0);
  }

  double(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.ascii(doubleText(value));
    } else if (value >= 0) {
      this.#safeInteger(value);
    } else {
      this.byte(45);
      this.#safeInteger(-value);
    }
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #safeInteger(value: number): void {
    if (value < 1e9) {
      this.#digits(value, digitCount(value));
      return;
    }
    const upper = Math.floor(value / 1e9);
    this.#digits(upper, digitCount(upper));
    this.#digits(value - upper * 1e9, 9);
  }

  /** Writes the last `count` decimal digits of `value`, which is below 1e9. */
  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    const end = this.#position + count;
    let rest = value | 0;
    let position = end;
    for (let left = count; left >= 2; left -= 2) {
      const next = (rest / 100) | 0;
      const pair = (rest - next * 100) << 1;
      rest = next;
      bytes[--position] = DIGIT_PAIRS[pair + 1];
      bytes[--position] = DIGIT_PAIRS[pair];
    }
    if ((count & 1) === 1) bytes[position - 1] = 48 + rest;
    this.#position = end;
  }
}

/** Decimal digits of an integer in [0, 1e9). */
function digitCount(value: number): number {
  if (value < 1e4) return value < 100 ? (value < 10 ? 1 : 2) : (value < 1000 ? 3 : 4);
  if (value < 1e7) return value < 1e5 ? 5 : (value < 1e6 ? 6 : 7);
  return value < 1e8 ? 8 : 9;
}
