import { renameFiles } from "../../../scripts/compile/bundle.ts";
// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";

Deno.test("files that the code opens get the names that they will have", () => {
  const code = 'open(new URL("./assets.bin", import.meta.url));\n' +
    'new Worker(new URL("./ingest_worker.ts", import.meta.url));\n';
  assertEquals(
    renameFiles(code, (file) => `<${file}>`),
    'open(new URL("./<assets.bin>", import.meta.url));\n' +
      'new Worker(new URL("./<ingest_worker.mjs>", import.meta.url));\n',
  );
});

Deno.test("code that opens a file which is not packed, or beside the program, is refused", () => {
  for (const path of ["./other.ts", "../other.ts"]) {
    const code = `new URL("${path}", import.meta.url)`;
    assertThrows(() => renameFiles(code, (file) => file), Error, "other.ts");
  }
});
