/**
 * Generates scripts/licenses/deno-crates.txt: the Rust crates that a Deno is made of, as far as it names them.
 *
 * Usage: deno run --allow-all scripts/gen_deno_crates.ts
 */

const OUTPUT = new URL("licenses/deno-crates.txt", import.meta.url);
const LINE_WIDTH = 100;

/** Crates whose source paths, for messages of panics, are in a program; `name version`, sorted. */
export function findCrates(program: Uint8Array): string[] {
  const text = new TextDecoder("latin1").decode(program);
  // The version ends with a digit, or with the pre-release's; `.../src/lib.rs` follows.
  const pattern = /\/registry\/src\/[^/\0]{1,80}\/([a-z][\w-]*?)-(\d+\.\d+\.\d+[\w.+-]*)\//gi;
  const found = new Set(
    Array.from(text.matchAll(pattern), ([, name, version]) => `${name} ${version}`),
  );
  return [...found].sort();
}

/** The file's text. */
export function describeCrates(version: string, crates: readonly string[]): string {
  const lines: string[] = [];
  for (const crate of crates) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + crate.length + 2 <= LINE_WIDTH) {
      lines[lines.length - 1] = `${last}, ${crate}`;
    } else {
      lines.push(crate);
    }
  }
  return `Rust crates of Deno ${version}
https://github.com/denoland/deno/blob/v${version}/Cargo.lock

Parts of Deno, by the names in its program; Cargo.lock has all of them. The Cargo.toml of each names its
licence, and its source has the text. Libraries in C that are inside of them have files of their own here,
but for two: aws-lc-rs has AWS-LC inside, https://github.com/aws/aws-lc/blob/main/LICENSE, and liblzma has
XZ Utils, https://github.com/tukaani-project/xz/blob/master/COPYING.
Made by scripts/gen_deno_crates.ts of kmeter's source from Deno for x86-64:

${lines.join(",\n")}
`;
}

if (import.meta.main) {
  const crates = findCrates(Deno.readFileSync(Deno.execPath()));
  Deno.writeTextFileSync(OUTPUT, describeCrates(Deno.version.deno, crates));
}
