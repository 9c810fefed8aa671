/** The libraries in C that are inside of Deno, which scripts/licenses has the texts of. */

import { DatabaseSync } from "node:sqlite";
import type { Part } from "../sbom/contents.ts";

/** One of them. */
interface InnerLibrary {
  readonly name: string;
  /** The crate that it is compiled with, or v8. */
  readonly holder: string;
  readonly license?: string;
  /** Absent where nothing tells the version: those of crates are their own. @param program its bytes as Latin-1. */
  readonly findVersion?: (program: string) => string | undefined;
}

const LIBRARIES: readonly InnerLibrary[] = [
  {
    name: "icu",
    holder: "v8",
    license: "Unicode-3.0",
    // The name of its data.
    findVersion: (program) => /icudt(\d+)l/.exec(program)?.[1],
  },
  { name: "zlib", holder: "v8", license: "Zlib" },
  { name: "aws-lc", holder: "aws-lc-rs" },
  {
    name: "dbus",
    holder: "dbus",
    license: "AFL-2.1 OR GPL-2.0-or-later",
    findVersion: (program) => /libdbus (\d+\.\d+\.\d+)/.exec(program)?.[1],
  },
  { name: "lcms2", holder: "lcms2", license: "MIT" },
  { name: "libdeflate", holder: "libdeflater", license: "MIT" },
  { name: "libffi", holder: "libffi", license: "MIT" },
  {
    name: "sqlite",
    holder: "libsqlite3-sys",
    license: "blessing",
    // The Deno that runs this has the version of the packed one; bytes do not tell whose number one is.
    findVersion: askSqlite,
  },
  { name: "xz", holder: "liblzma" },
  { name: "zstd", holder: "zstd-safe", license: "BSD-3-Clause OR GPL-2.0-only" },
];

/** What of them is in a program. */
export interface FoundLibraries {
  readonly all: readonly Part[];
  /** Those that a crate, or v8, is compiled with. */
  in(holder: string): readonly Part[];
}

/** @param crates names of the crates in the program. */
export function findInnerLibraries(
  program: Uint8Array,
  crates: readonly string[],
): FoundLibraries {
  const text = new TextDecoder("latin1").decode(program);
  const found = LIBRARIES.filter(({ holder }) => holder === "v8" || crates.includes(holder))
    .map((library) => ({ holder: library.holder, part: describe(library, text) }));
  return {
    all: found.map(({ part }) => part),
    in: (wanted) => found.filter(({ holder }) => holder === wanted).map(({ part }) => part),
  };
}

function describe({ name, holder, license, findVersion }: InnerLibrary, program: string): Part {
  return {
    kind: "library",
    name,
    version: findVersion?.(program),
    description: `C library, in ${holder === "v8" ? holder : `the crate ${holder}`}`,
    license,
    hashes: {},
  };
}

function askSqlite(): string {
  using database = new DatabaseSync(":memory:");
  return String(database.prepare("SELECT sqlite_version() AS version").get()?.version);
}
