/** Enumerators as text: one name, or the names of a bit set. */

import type { Enumerator } from "../decode/mod.ts";

interface EnumTextOptions {
  readonly enumerators: readonly Enumerator[];
  readonly isSet: boolean;
  readonly separator: string;
  /** Width of the values: an enumerator of -1 in an unsigned field of 32 bits is 0xffffffff. */
  readonly sizeBits: number;
}

/** Function from a raw value to its text; a value without enumerator stays a number. */
export function createEnumText(options: EnumTextOptions): (value: bigint) => string {
  return options.isSet ? createSetText(options) : createNameText(options);
}

function createNameText({ enumerators, sizeBits }: EnumTextOptions): (value: bigint) => string {
  const names = new Map<bigint, string>();
  for (const { name, value } of enumerators) {
    const key = BigInt.asUintN(sizeBits, value);
    if (!names.has(key)) names.set(key, name);
  }
  return (value) => names.get(BigInt.asUintN(sizeBits, value)) ?? String(value);
}

/** Single bits come first; an enumerator of several bits only where it adds one that has no name. */
function createSetText(options: EnumTextOptions): (value: bigint) => string {
  const { enumerators, separator, sizeBits } = options;
  const flags = enumerators
    .map(({ name, value }) => ({ name, bits: BigInt.asUintN(sizeBits, value) }))
    .filter(({ bits }) => bits !== 0n);
  const singles = flags.filter(({ bits }) => (bits & (bits - 1n)) === 0n);
  const composites = flags.filter(({ bits }) => (bits & (bits - 1n)) !== 0n);
  const zeroName = enumerators.find(({ value }) => value === 0n)?.name ?? "0";
  return (value) => {
    const all = BigInt.asUintN(sizeBits, value);
    if (all === 0n) return zeroName;
    const names: string[] = [];
    let rest = all;
    for (const { name, bits } of [...singles, ...composites]) {
      if ((all & bits) !== bits || (rest & bits) === 0n) continue;
      names.push(name);
      rest &= ~bits;
    }
    if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
    return names.join(separator);
  };
}
