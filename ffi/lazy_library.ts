/**
 * Shared libraries whose symbols are bound when first used.
 *
 * `Deno.dlopen` compiles a trampoline of about 0.3 ms for each symbol it is given, so binding a
 * whole table would cost more than the rest of the start.
 */

import { UnsupportedError } from "../src/errors.ts";

type Symbols<T extends Deno.ForeignLibraryInterface> = Deno.DynamicLibrary<T>["symbols"];

/** What to try, in order, and what to tell a user who has none of them. */
export interface LibraryNames {
  readonly names: readonly string[];
  readonly hint: string;
}

/**
 * Opens a library and returns its symbols, each bound at its first use.
 * @throws UnsupportedError if no name can be opened, or when a symbol that the library lacks is used.
 */
export function openLazily<const T extends Deno.ForeignLibraryInterface>(
  library: LibraryNames,
  table: T,
): Symbols<T> {
  return bindLazily(findLibrary(library), table);
}

/** Symbols of a library that can be opened, each bound at its first use. Throws: as above. */
export function bindLazily<const T extends Deno.ForeignLibraryInterface>(
  name: string,
  table: T,
): Symbols<T> {
  const bound: Record<string, unknown> = {};
  for (const symbol of Object.keys(table)) {
    Object.defineProperty(bound, symbol, {
      configurable: true,
      enumerable: true,
      get() {
        const value = bind(name, symbol, table[symbol]);
        Object.defineProperty(bound, symbol, { value, enumerable: true });
        return value;
      },
    });
  }
  // The table is what fixes the types of the getters above; TypeScript cannot follow defineProperty.
  return bound as Symbols<T>;
}

/** The first name that can be opened. Throws: UnsupportedError if none can. */
export function findLibrary(library: LibraryNames): string {
  const { names } = library;
  let cause: unknown;
  for (const name of names) {
    try {
      Deno.dlopen(name, {});
      return name;
    } catch (error) {
      cause ??= error;
    }
  }
  throw new UnsupportedError(`Cannot open ${names.join(" or ")}: ${reasonOf(cause, names)}`, {
    feature: names[0],
    hint: library.hint,
    cause,
  });
}

/** The loader's message without what Deno puts before it, and the name, which the error has. */
function reasonOf(cause: unknown, names: readonly string[]): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = message.replace(/^(?:Could not open library: )+/, "");
  const name = names.find((candidate) => reason.startsWith(`${candidate}: `));
  return name === undefined ? reason : reason.slice(name.length + 2);
}

function bind(name: string, symbol: string, definition: Deno.ForeignLibraryInterface[string]) {
  try {
    return Deno.dlopen(name, { [symbol]: definition }).symbols[symbol];
  } catch (cause) {
    throw new UnsupportedError(`${name} has no function ${symbol}`, {
      feature: symbol,
      hint: "install libbpf 1.0 or newer",
      cause,
    });
  }
}
