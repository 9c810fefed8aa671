/** Comparison with a reviewed text in tests/golden/view; `UPDATE=1` rewrites it. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";

const FOLDER = new URL("../../golden/view/", import.meta.url);

export function assertGolden(name: string, actual: string): void {
  const file = new URL(name, FOLDER);
  if (Deno.env.get("UPDATE") === "1") Deno.writeTextFileSync(file, actual);
  assertEquals(actual, Deno.readTextFileSync(file), `${name} differs; UPDATE=1 rewrites it`);
}
