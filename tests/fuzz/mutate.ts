/** Damage to bytes and text: seeded, and likely to be awkward. */

import type { Random } from "../unit/random.ts";

const WORDS = [0, 1, 2, 7, 8, 12, 24, 63, 64, 255, 256, 0x7fff, 0xffff, 0x10000, 0x7fffffff]
  .concat([0x80000000, 0xfffffff0, 0xffffffff, 0x0400ffff, 0x84000001]);

/** Names that would break out of generated code, a table, an object, a comment or a terminal. */
export const HOSTILE_NAMES: readonly string[] = [
  "x];evil(`",
  "*/evil()/*",
  "`${evil()}`",
  "a\u2028evil()\u2029",
  "\nevil()",
  "//\r",
  '"+evil()+"',
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "le",
  "__name__",
  "quantile",
  "\x1b[2J",
  "\u202e\u0085",
  "\ufeffé漢",
  "\ud800",
  "a.b",
  "..",
  " ",
  "{}",
  "\\",
];

/** A part of the input that deserves damage. */
export interface Region {
  readonly begin: number;
  readonly end: number;
}

/** Damages bytes at one to eight places, mostly within one of the regions. */
export function mutateBytes(
  random: Random,
  input: Uint8Array,
  regions: readonly Region[] = [],
): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(input);
  for (let count = random.pick([1, 1, 2, 3, 8]); count > 0 && bytes.length > 0; count--) {
    const whole = { begin: 0, end: bytes.length };
    const { begin, end } = random.chance(0.1) || regions.length === 0
      ? whole
      : random.pick(regions);
    if (begin >= Math.min(end, bytes.length)) continue;
    const at = random.between(begin, Math.min(end, bytes.length) - 1);
    bytes = damage(random, bytes, at);
  }
  return bytes;
}

function damage(random: Random, bytes: Uint8Array<ArrayBuffer>, at: number) {
  const view = new DataView(bytes.buffer);
  const word = at & ~3;
  switch (random.between(0, 9)) {
    case 0:
      bytes[at] = random.uint32();
      return bytes;
    case 1:
      bytes[at] ^= 1 << random.between(0, 7);
      return bytes;
    case 2:
    case 3:
    case 4:
      if (word + 4 <= bytes.length) view.setUint32(word, random.pick(WORDS), true);
      return bytes;
    case 5:
      if (word + 4 <= bytes.length) {
        view.setUint32(word, view.getUint32(word, true) + random.between(-4, 4), true);
      }
      return bytes;
    case 6:
      if (word + 4 <= bytes.length) view.setUint32(word, random.between(0, bytes.length), true);
      return bytes;
    case 7: {
      const name = new TextEncoder().encode(random.pick(HOSTILE_NAMES));
      bytes.set(name.subarray(0, bytes.length - at), at);
      return bytes;
    }
    case 8: {
      const from = random.between(0, bytes.length - 1);
      const length = Math.min(random.between(1, 64), bytes.length - Math.max(from, at));
      bytes.copyWithin(at, from, from + length);
      return bytes;
    }
    default:
      return random.chance(0.2) ? bytes.slice(0, at) : bytes;
  }
}

/** Damages text: pieces are left out, doubled, swapped, replaced by words or by hostile ones. */
export function mutateText(random: Random, text: string, words: readonly string[]): string {
  let result = text;
  for (let count = random.between(1, 6); count > 0; count--) {
    const at = random.between(0, result.length);
    const behind = Math.min(result.length, at + random.pick([0, 0, 1, 3, 10, 40]));
    const piece = random.pick([
      "",
      random.pick(words),
      random.pick(words),
      random.pick(HOSTILE_NAMES),
      result.slice(at, behind).repeat(random.pick([2, 3, 50])),
      String.fromCharCode(random.pick([random.between(0, 127), random.between(0, 0xffff)])),
      random.pick([
        " ",
        "\n",
        "\t",
        "\\",
        ",",
        ":",
        ".",
        "=",
        '"',
        "'",
        "0",
        "-1",
        "9".repeat(400),
      ]),
    ]);
    result = result.slice(0, at) + piece + result.slice(behind);
  }
  return result;
}
