// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { MAX_WARNINGS, WARNING_WINDOW_MS, WarningLimit } from "../../../src/cli/warning_limit.ts";

Deno.test("a fault that repeats is told so often and no more, and what was left out is counted", () => {
  const written: string[] = [];
  const clock = { ms: 0 };
  const limit = new WarningLimit((text) => written.push(text), { nowMs: () => clock.ms });
  for (let count = 0; count < MAX_WARNINGS + 50; count++) limit.warn(`fault ${count}`);
  assertEquals(written.length, MAX_WARNINGS + 1);
  assertEquals(written.slice(-2), [
    `fault ${MAX_WARNINGS - 1}`,
    `more than ${MAX_WARNINGS} warnings in 10 s: further ones are left out`,
  ]);
  clock.ms = WARNING_WINDOW_MS - 1;
  limit.warn("still too soon");
  assertEquals(written.length, MAX_WARNINGS + 1);
  clock.ms = WARNING_WINDOW_MS;
  limit.warn("another");
  assertEquals(written.slice(-2), ["51 warnings were left out", "another"]);
});

Deno.test("warnings that come seldom are all told", () => {
  const written: string[] = [];
  const clock = { ms: 0 };
  const limit = new WarningLimit((text) => written.push(text), { nowMs: () => clock.ms });
  for (let count = 0; count < 3 * MAX_WARNINGS; count++) {
    limit.warn("fault");
    clock.ms += WARNING_WINDOW_MS / MAX_WARNINGS;
  }
  assertEquals(written, Array(3 * MAX_WARNINGS).fill("fault"));
});
