import { copyToMemory } from "../../ffi/mod.ts";
// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";

Deno.test("a library in a memory file can be opened, and is copied once", () => {
  const maps = Deno.readTextFileSync("/proc/self/maps");
  const path = /\/\S*\/libm\.so\.6$/m.exec(maps)?.[0];
  assert(path !== undefined, maps);
  const copy = copyToMemory(path);
  assertMatch(copy, /^\/proc\/self\/fd\/\d+$/);
  assertEquals(copyToMemory(path), copy);
  const library = Deno.dlopen(copy, { sqrt: { parameters: ["f64"], result: "f64" } });
  assertEquals(library.symbols.sqrt(9), 3);
  library.close();
});
