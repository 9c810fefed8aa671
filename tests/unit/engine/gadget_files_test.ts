// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  builtinNames,
  METADATA_NAME,
  OBJECT_NAME,
  readGadgetFiles,
  SOURCE_NAME,
} from "../../../src/engine/gadget_files.ts";
import { UsageError } from "../../../src/errors.ts";

/** Runs an action with a folder `<temporary>/my_gadget` that holds files. */
function withFolder(
  files: Readonly<Record<string, string>>,
  action: (folder: string) => void,
): void {
  const parent = Deno.makeTempDirSync();
  const folder = `${parent}/my_gadget`;
  try {
    Deno.mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${folder}/${name}`, text);
    }
    action(folder);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
}

const OBJECT = "\x7fELF";

for (const suffix of ["", "/", "//"]) {
  Deno.test(`a folder is named after itself, also with "${suffix}" behind it`, () => {
    withFolder({ [OBJECT_NAME]: OBJECT, [METADATA_NAME]: "name: other" }, (folder) => {
      const files = readGadgetFiles(folder + suffix);
      assertEquals(
        [files.name, files.objectFile, files.metadataFile, files.metadataText],
        ["my_gadget", `${folder}/${OBJECT_NAME}`, `${folder}/${METADATA_NAME}`, "name: other"],
      );
      assertEquals(new TextDecoder().decode(files.object), OBJECT);
    });
  });
}

const OBJECT_FILES: readonly [string, string][] = [
  [OBJECT_NAME, "my_gadget"],
  ["trace.bpf.o", "trace"],
  ["trace.o", "trace"],
];
for (const [file, name] of OBJECT_FILES) {
  Deno.test(`an object file ${file} is the gadget ${name}, with the gadget.yaml beside it`, () => {
    withFolder({ [file]: OBJECT }, (folder) => {
      const files = readGadgetFiles(`${folder}/${file}`);
      assertEquals([files.name, files.metadataFile], [name, undefined]);
      Deno.writeTextFileSync(`${folder}/${METADATA_NAME}`, "name: x");
      assertEquals(readGadgetFiles(`${folder}/${file}`).metadataText, "name: x");
    });
  });
}

const UNUSABLE: readonly [string, Readonly<Record<string, string>>, string][] = [
  ["a source that is not built", { [SOURCE_NAME]: "" }, "build it first: kmeter build "],
  ["nothing of a gadget", { "notes.txt": "" }, `holds ${SOURCE_NAME} or ${OBJECT_NAME}`],
];
for (const [what, files, hint] of UNUSABLE) {
  Deno.test(`a folder with ${what} is refused`, () => {
    withFolder(files, (folder) => {
      const error = assertThrows(() => readGadgetFiles(folder), UsageError, `no ${OBJECT_NAME}`);
      assertStringIncludes(error.hint ?? "", hint);
    });
  });
}

const MISSING: readonly [string, string][] = [
  ["trace_exce", "trace_exec"],
  ["./no/such/folder", "kmeter list"],
  ["/dev/null/x.bpf.o", "kmeter list"],
  ["", "kmeter list"],
];
for (const [gadget, hint] of MISSING) {
  Deno.test(`there is no gadget ${JSON.stringify(gadget)}`, () => {
    const error = assertThrows(() => readGadgetFiles(gadget), UsageError, "There is no gadget");
    assertStringIncludes(error.hint ?? "", hint);
  });
}

Deno.test("a file that cannot be read is told, not thrown as it is", () => {
  withFolder({}, (folder) => {
    Deno.mkdirSync(`${folder}/${OBJECT_NAME}`);
    const error = assertThrows(() => readGadgetFiles(folder), UsageError, "Cannot read");
    assertStringIncludes(error.message, OBJECT_NAME);
  });
});

Deno.test("built-in gadgets are the folders with a gadget.yaml, sorted", () => {
  const names = builtinNames();
  assertEquals(names, [...names].sort());
  assert(names.includes("trace_exec") && !names.includes("include"), names.join());
  for (const name of names) assert(Deno.statSync(`gadgets/${name}/${METADATA_NAME}`));
});
