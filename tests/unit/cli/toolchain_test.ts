/** `kmeter build` and scripts/build_gadgets choose the same compiler, and give it the same flags. */

// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";

/** Text of a file of the checkout. */
function read(path: string): string {
  return Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));
}

/** What the first group of a pattern matches. */
function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  assert(found !== undefined, `${pattern} is not in:\n${text}`);
  return found;
}

/** Flags without what stands in the place of a variable, sorted. */
function withoutVariables(flags: readonly string[]): string[] {
  return flags.map((flag) => flag.replace(/\$\{\w+\}|\$\w+/g, "VARIABLE")).sort();
}

Deno.test("both look for the same versions of clang, in the same order", async () => {
  const program = read("src/cli/clang.ts");
  const script = read("scripts/toolchain.bash");
  const versions = find(program, /CLANG_NAMES = \[([\d, ]+)\]/).split(", ");
  const wanted = find(script, /^readonly CLANG_WANTED=(\d+)$/m);
  const names = find(script, /^ *for name in (.*); do$/m);
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", `CLANG_WANTED=${wanted}; echo ${names}`],
  }).output();
  const expanded = new TextDecoder().decode(stdout).trim().split(" ");
  assertEquals(versions.map((version) => `clang-${version}`), expanded);
  assertEquals(
    find(program, /CLANG_MIN = (\d+);/),
    find(script, /^readonly CLANG_MIN=(\d+)$/m),
  );
});

Deno.test("both give clang and llvm-strip the same flags", () => {
  const program = read("src/cli/build.ts");
  const script = read("scripts/build_gadgets");
  const collected = find(program, /const flags = (\[[\s\S]*?)\n *await \w+\(\[clang/);
  const literals = [...collected.matchAll(/"([^"]+)"|`([^`]+)`/g)].map(([, a, b]) => a ?? b);
  const line = find(script, /"\$clang" ([\s\S]*?) -c /).replaceAll(/\\\n/g, " ");
  const words = line.split(/\s+/).map((word) => word.replaceAll('"', ""));
  // The folder of the headers is a variable in one, and a path below one in the other.
  const folder = words.splice(words.indexOf("-I") + 1, 1);
  assert(folder[0].endsWith("/gadgets/include"), folder[0]);
  assert(words.length >= 8, line);
  assertEquals(withoutVariables(literals), withoutVariables(words));
  assertEquals(
    find(program, /\[llvmStrip, "([^"]+)"/),
    find(script, /"\$llvm_strip" (\S+)/),
  );
});
