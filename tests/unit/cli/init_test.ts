// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { gadgetNameOf, writeTemplate } from "../../../src/cli/init.ts";
import { UsageError } from "../../../src/errors.ts";
import { parseMetadata } from "../../../src/gadget/mod.ts";

const NAMES: readonly [path: string, name: string][] = [
  ["my_gadget", "my_gadget"],
  ["Gadget2", "Gadget2"],
  ["./here/my_gadget", "my_gadget"],
  ["/tmp/a b/x", "x"],
  ["trace_exec/mine", "mine"],
];
for (const [path, name] of NAMES) {
  Deno.test(`a gadget in ${path} is named ${name}`, () => assertEquals(gadgetNameOf(path), name));
}

const REFUSED: readonly [path: string, hint: string][] = [
  ["", "begin with a letter"],
  [".", "begin with a letter"],
  ["a/..", "begin with a letter"],
  ["/", "begin with a letter"],
  ["my-gadget", "underscores"],
  ["2fast", "begin with a letter"],
  ["_x", "begin with a letter"],
  ["a b", "underscores"],
  ["größe", "letters"],
  ["x\n", "letters"],
  ["trace_exec", "my_trace_exec"],
  ["somewhere/top_syscalls", "my_top_syscalls"],
];
for (const [path, hint] of REFUSED) {
  Deno.test(`a gadget in ${JSON.stringify(path)} is refused`, () => {
    const error = assertThrows(() => gadgetNameOf(path), UsageError, "Cannot name a gadget");
    assertStringIncludes(error.hint ?? "", hint);
  });
}

/** Runs an action with a folder that is gone afterwards. */
function withFolder(action: (folder: string) => void): void {
  const folder = Deno.makeTempDirSync();
  try {
    action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const PLACES = ["fresh", "a/b/fresh", "."];
for (const place of PLACES) {
  Deno.test(`a gadget's files are written into ${place}`, () => {
    withFolder((parent) => {
      const folder = `${parent}/${place}`;
      const files = writeTemplate(folder, "my_gadget");
      assertEquals(files, ["README.md", "gadget.yaml", "program.bpf.c"]);
      const texts = files.map((file) => Deno.readTextFileSync(`${folder}/${file}`));
      assert(!texts.some((text) => text.includes("@NAME@")));
      assert(texts[0].startsWith("# my_gadget\n"));
      assertEquals(parseMetadata(texts[1], "gadget.yaml").name, "my_gadget");
      assertEquals([...Deno.readDirSync(folder)].length, files.length);
    });
  });
}

const OCCUPIED: readonly [what: string, make: (path: string) => void, message: string][] = [
  ["a folder with a file in it", (path) => {
    Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${path}/notes`, "mine");
  }, "it exists, and holds notes"],
  ["a file", (path) => Deno.writeTextFileSync(path, "mine"), "Cannot make"],
  ["a link to nothing", (path) => Deno.symlinkSync("nowhere", path), "Cannot make"],
];
for (const [what, make, message] of OCCUPIED) {
  Deno.test(`${what} stays as it is`, () => {
    withFolder((parent) => {
      make(`${parent}/mine`);
      const error = assertThrows(() => writeTemplate(`${parent}/mine`, "mine"), UsageError);
      assertStringIncludes(error.message, message);
      assert(error.hint !== undefined);
      assertEquals([...Deno.readDirSync(parent)].map(({ name }) => name), ["mine"]);
    });
  });
}
