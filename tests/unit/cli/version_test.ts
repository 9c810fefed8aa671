// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { VERSION } from "../../../src/cli/version.ts";

Deno.test("the version that kmeter tells is that of deno.json", async () => {
  const text = await Deno.readTextFile(new URL("../../../deno.json", import.meta.url));
  assertEquals(VERSION, JSON.parse(text).version);
});
