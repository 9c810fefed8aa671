import { asFunctionBody, renameFiles } from "../../../scripts/compile/bundle.ts";
// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";

const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...values: unknown[]) => Promise<unknown>;

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

Deno.test("a module as a function body does the same, in ASCII", async () => {
  const code = "// a → b\nconst text = `µ\\n` + '\u{1f41d}' + import.meta.url;\n" +
    "return [text, /^µ$/u.test('µ'), require('x'), await 1];\n";
  const body = asFunctionBody(code);
  assertEquals(/[^\0-\x7f]/.test(body), false);
  const result = await new AsyncFunction("moduleUrl", "require", body)(
    "file:///here",
    (name: string) => `<${name}>`,
  );
  assertEquals(result, ["µ\n\u{1f41d}file:///here", true, "<x>", 1]);
});

Deno.test("what would not work in a function body is refused", () => {
  for (const code of ['import x from "node:x";\n', "var a;\nexport { a };\n", "String.raw`\n→`"]) {
    assertThrows(() => asFunctionBody(code), Error, "The bundle has");
  }
});
