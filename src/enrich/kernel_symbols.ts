/** Kernel addresses → function names, from /proc/kallsyms. */

export interface KernelSymbol {
  readonly name: string;
  /** Distance in bytes from the start of the function. */
  readonly offsetBytes: number;
}

interface SymbolTable {
  /** Ascending. */
  readonly addresses: BigUint64Array;
  readonly names: readonly string[];
}

/** An address further behind the last function before it belongs to none. */
const MAX_DISTANCE_BYTES = 1n << 20n;

/** Types of symbols that are code, as `nm` prints them. */
const CODE_LINE = /^([0-9a-f]+) [tTwW] (\S+)/gm;

/** Parses the text of /proc/kallsyms; data symbols and hidden (zero) addresses are left out. */
function parseSymbols(text: string): SymbolTable {
  const found: { address: bigint; name: string }[] = [];
  for (const [, hexAddress, name] of text.matchAll(CODE_LINE)) {
    const address = BigInt(`0x${hexAddress}`);
    if (address !== 0n) found.push({ address, name });
  }
  // Modules and JITed programs follow the core kernel in an order of their own.
  found.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return {
    addresses: BigUint64Array.from(found, ({ address }) => address),
    names: found.map(({ name }) => name),
  };
}

/**
 * Symbols of the running kernel.
 *
 * Nothing is read until the first lookup. Cost: the first lookup parses some 10 MB; later ones search.
 * Without the privilege to see addresses (kptr_restrict) there are no symbols.
 */
export class KernelSymbols {
  readonly #readText: () => string | undefined;
  #table: SymbolTable | undefined;

  /** `readText` gives the text of /proc/kallsyms, `undefined` if it cannot be read. */
  constructor(readText: () => string | undefined) {
    this.#readText = readText;
  }

  /** The function that holds the address, `undefined` if none does. */
  find(address: bigint): KernelSymbol | undefined {
    this.#table ??= parseSymbols(this.#readText() ?? "");
    const { addresses, names } = this.#table;
    let low = 0;
    let high = addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (addresses[middle] <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const offset = address - addresses[low - 1];
    if (offset > MAX_DISTANCE_BYTES) return undefined;
    return { name: names[low - 1], offsetBytes: Number(offset) };
  }

  /** A stack as `name; name; `, innermost first as the kernel records it; 0 ends it. */
  stackText(addresses: Iterable<bigint>): string {
    let text = "";
    for (const address of addresses) {
      if (address === 0n) break;
      text += `${this.find(address)?.name ?? `0x${address.toString(16)}`}; `;
    }
    return text;
  }
}
