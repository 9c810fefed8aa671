// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { Archive, formatArchive } from "../../../src/assets/archive_index.ts";
import { FormatError } from "../../../src/errors.ts";

const FILES = new Map([
  ["gadgets/b/program.bpf.o", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)],
  ["gadgets/a/gadget.yaml", new TextEncoder().encode("name: ä\n")],
  ["constructor", Uint8Array.of(1)],
  ["empty", new Uint8Array(0)],
  ["größe \"'\n", Uint8Array.of(2, 3)],
]);

/** All files of an archive in memory. */
function readAll(bytes: Uint8Array): [string, Uint8Array | undefined][] {
  const archive = new Archive((offset, size) => bytes.slice(offset, offset + size));
  return archive.names.map((name) => [name, archive.read(name)]);
}

Deno.test("files come out of an archive as they went in, whatever their names", () => {
  assertEquals(readAll(formatArchive(FILES)), [...FILES].sort());
});

Deno.test("a name that is not in an archive has no bytes, nor has what every object has", () => {
  const bytes = formatArchive(new Map());
  const archive = new Archive((offset, size) => bytes.slice(offset, offset + size));
  assertEquals(["a", "toString", "__proto__"].map((name) => archive.read(name)), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("an archive of nothing holds nothing", () => {
  assertEquals(readAll(formatArchive(new Map())), []);
});

Deno.test("the order in which files are found does not change the bytes", () => {
  assertEquals(formatArchive(new Map([...FILES].reverse())), formatArchive(FILES));
});

Deno.test("an archive that is cut anywhere is refused", () => {
  const archive = formatArchive(FILES);
  for (let length = 0; length < archive.length; length++) {
    assertThrows(
      () => readAll(archive.slice(0, length)),
      FormatError,
      `end at byte ${length},`,
    );
  }
});

Deno.test("an archive with a damaged index is refused", () => {
  const archive = formatArchive(FILES);
  archive[4] = "[".charCodeAt(0);
  assertThrows(() => readAll(archive), FormatError, "their index");
});
