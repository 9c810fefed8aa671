// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { formatArchive, parseArchive } from "../../../src/assets/archive_index.ts";
import { FormatError } from "../../../src/errors.ts";

const FILES = new Map([
  ["gadgets/b/program.bpf.o", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)],
  ["gadgets/a/gadget.yaml", new TextEncoder().encode("name: ä\n")],
  ["constructor", Uint8Array.of(1)],
  ["empty", new Uint8Array(0)],
  ["größe \"'\n", Uint8Array.of(2, 3)],
]);

Deno.test("files come out of an archive as they went in, whatever their names", () => {
  const files = parseArchive(formatArchive(FILES));
  assertEquals(
    [...files].sort(),
    [...FILES].sort(),
  );
});

Deno.test("an archive of nothing holds nothing", () => {
  assertEquals(parseArchive(formatArchive(new Map())).size, 0);
});

Deno.test("an archive that lies inside a buffer is read from its place", () => {
  const archive = formatArchive(FILES);
  const buffer = new Uint8Array(archive.length + 7);
  buffer.set(archive, 7);
  assertEquals(parseArchive(buffer.subarray(7)).get("constructor"), Uint8Array.of(1));
});

Deno.test("the order in which files are found does not change the bytes", () => {
  assertEquals(formatArchive(new Map([...FILES].reverse())), formatArchive(FILES));
});

Deno.test("an archive that is cut anywhere is refused", () => {
  const archive = formatArchive(FILES);
  for (let length = 0; length < archive.length; length++) {
    assertThrows(
      () => parseArchive(archive.slice(0, length)),
      FormatError,
      `end at byte ${length},`,
    );
  }
});

Deno.test("an archive with a damaged index is refused", () => {
  const archive = formatArchive(FILES);
  archive[4] = "[".charCodeAt(0);
  assertThrows(() => parseArchive(archive), FormatError, "their index");
});
