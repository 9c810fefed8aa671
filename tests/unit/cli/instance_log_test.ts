// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { InstanceLog, MAX_LOG_GADGETS, MAX_LOG_LINES } from "../../../src/cli/instance_log.ts";
import { MAX_WARNINGS } from "../../../src/cli/warning_limit.ts";

Deno.test("a gadget that repeats a fault pushes out no line of another, and is cut", () => {
  const log = new InstanceLog();
  const heard: string[] = [];
  const end = log.listen(({ name, text }) => heard.push(`${name} ${text}`));
  log.add("quiet", "once");
  for (let count = 0; count < 10 * MAX_LOG_LINES; count++) log.add("noisy", `fault ${count}`);
  end();
  log.add("quiet", "again");
  assertEquals(log.lines("quiet").map(({ text }) => text), ["once", "again"]);
  assertEquals(log.lines("noisy").length, MAX_WARNINGS + 1);
  assertEquals(log.lines().length, MAX_WARNINGS + 3);
  assertEquals(heard.length, MAX_WARNINGS + 2);
  assertEquals(log.lines("unknown"), []);
});

Deno.test("gadgets that come and go do not fill the memory", () => {
  const log = new InstanceLog();
  for (let count = 0; count < 3 * MAX_LOG_GADGETS; count++) {
    log.add(`gadget ${count}`, "ends");
    log.add("stays", "goes on");
  }
  assertEquals(new Set(log.lines().map(({ name }) => name)).size, MAX_LOG_GADGETS);
  assertEquals(log.lines("gadget 0"), []);
});
