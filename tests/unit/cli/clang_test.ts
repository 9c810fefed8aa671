// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { findToolchain } from "../../../src/cli/clang.ts";
import { UnsupportedError } from "../../../src/errors.ts";

/** Runs an action with a folder of programs that tell a version. */
async function withPrograms(
  versions: Readonly<Record<string, string>>,
  action: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    for (const [name, version] of Object.entries(versions)) {
      const file = `${folder}/${name}`;
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(file, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    }
    await action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const FOUND: readonly [programs: Record<string, string>, clang: string, llvmStrip?: string][] = [
  [{ "bin/clang": "16.0.6" }, "bin/clang"],
  [{ "bin/clang": "23.1.0git" }, "bin/clang"],
  [{ "bin/clang": "14.0.6", "bin/clang-18": "18.1.8" }, "bin/clang-18"],
  [{ "bin/clang-18": "18", "bin/clang-19": "19", "bin/clang-20": "20" }, "bin/clang-19"],
  [{ "bin/clang-16": "16", "local/clang-21": "21" }, "local/clang-21"],
  [{ "bin/clang": "19.1.7", "bin/llvm-strip-19": "" }, "bin/clang", "bin/llvm-strip-19"],
  [{ "bin/clang-19": "19", "local/llvm-strip-19": "" }, "bin/clang-19", "local/llvm-strip-19"],
  [{ "bin/clang-19": "19", "bin/llvm-strip-14": "", "local/llvm-strip": "" }, "bin/clang-19"],
  [
    { "bin/clang": "19", "bin/llvm-strip": "", "bin/llvm-strip-19": "" },
    "bin/clang",
    "bin/llvm-strip",
  ],
];
for (const [programs, clang, llvmStrip] of FOUND) {
  Deno.test(`of ${Object.keys(programs).join(", ")}, ${clang} compiles and ${llvmStrip} strips`, () =>
    withPrograms(programs, async (folder) => {
      const found = await findToolchain(`/nonexistent::${folder}/bin:${folder}/local`);
      const inFolder = (name?: string) => name && `${folder}/${name}`;
      assertEquals(found, { clang: `${folder}/${clang}`, llvmStrip: inFolder(llvmStrip) });
    }));
}

Deno.test("the llvm-strip beside the clang that a link leads to is its own", () =>
  withPrograms(
    { "llvm-19/clang": "19", "llvm-19/llvm-strip": "", "bin/llvm-strip": "" },
    async (folder) => {
      Deno.symlinkSync("../llvm-19/clang", `${folder}/bin/clang-19`);
      const { llvmStrip } = await findToolchain(`${folder}/bin`);
      assertEquals(llvmStrip, Deno.realPathSync(`${folder}/llvm-19/llvm-strip`));
    },
  ));

const REFUSED: readonly [programs: Record<string, string>, message: RegExp][] = [
  [{}, /^Cannot build: there is no clang 16 or newer$/],
  [{ "bin/clang-15": "15.0.7" }, /^Cannot build: there is no clang 16 or newer$/],
  [{ "bin/clang": "14.0.6" }, /^Cannot build: \S+\/bin\/clang is version 14\.0\.6, wanted 16 or/],
  [{ "bin/clang": "" }, /^Cannot build: \S+\/bin\/clang is version unknown, wanted 16 or newer$/],
];
for (const [programs, message] of REFUSED) {
  Deno.test(`of ${JSON.stringify(programs)}, none compiles, and the hint says what to install`, () =>
    withPrograms(programs, async (folder) => {
      const error = await assertRejects(() => findToolchain(`${folder}/bin`), UnsupportedError);
      assertEquals(message.test(error.message), true, error.message);
      assertStringIncludes(error.hint ?? "", "apt-get install clang-19");
    }));
}
