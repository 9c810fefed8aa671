/** kmeter writes nowhere but where it was told to: who may touch the file system is listed here. */

// @ts-types="./_std_assert.d.ts"
import { assertEquals } from "@std/assert";

/** What makes, changes or removes files, by whatever way. */
const WRITES =
  /\bDeno\s*\.\s*(?:(?:writeFile|writeTextFile|create|mkdir|makeTempDir|makeTempFile|remove|rename|copyFile|link|symlink|truncate|chmod|chown|utime)(?:Sync)?|open(?:Sync)?)\b|\bnode:fs\b|\blocalStorage\b|\bDeno\s*\.\s*openKv\b|\bDeno\s*\[/g;

/** Files that may, and the calls that they make. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // `kmeter build`: the object in the author's folder, by way of a new file beside it.
  "src/cli/build.ts": ["Deno.removeSync", "Deno.renameSync"],
  // `kmeter serve`: the folder of its socket, and the socket itself.
  "src/cli/control_server.ts": ["Deno.mkdirSync", "Deno.removeSync"],
  // `kmeter build`: headers in a temporary folder, which goes afterwards.
  "src/cli/header_folder.ts": [
    "Deno.makeTempDirSync",
    "Deno.mkdirSync",
    "Deno.removeSync",
    "Deno.writeFileSync",
  ],
  // `kmeter init`: a new gadget's folder, emptied again if it cannot be finished.
  "src/cli/init.ts": ["Deno.mkdirSync", "Deno.removeSync", "Deno.writeTextFileSync"],
};

const ROOT = new URL("../../", import.meta.url);

function* sourceFiles(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (isDirectory) yield* sourceFiles(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield `${folder}${name}`;
  }
}

function readSource(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

Deno.test("only init, build and serve write files", () => {
  const found: Record<string, string[]> = {};
  for (const path of ["main.ts", ...sourceFiles("src/"), ...sourceFiles("ffi/")]) {
    const calls = readSource(path).match(WRITES);
    if (calls !== null) found[path] = [...new Set(calls)].sort();
  }
  assertEquals(found, ALLOWED);
});
