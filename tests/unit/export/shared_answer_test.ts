// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { sharedAnswer } from "../../../src/export/shared_answer.ts";

/** An answer that counts how often it was made, and takes `costMs`. */
function counted({ costMs }: { costMs: number }) {
  const clock = { ms: 0 };
  let made = 0;
  const ask = sharedAnswer(() => {
    clock.ms += costMs;
    return Promise.resolve(++made);
  }, () => clock.ms);
  return { clock, ask };
}

Deno.test("who asks within a second gets the same answer", async () => {
  const { clock, ask } = counted({ costMs: 0 });
  assertEquals(await Promise.all([ask(), ask(), ask()]), [1, 1, 1]);
  clock.ms = 999;
  assertEquals(await ask(), 1);
  clock.ms = 1000;
  assertEquals(await ask(), 2);
});

Deno.test("what takes long to make is kept for ten times as long", async () => {
  const { clock, ask } = counted({ costMs: 500 });
  assertEquals(await ask(), 1);
  clock.ms = 4999;
  assertEquals(await ask(), 1);
  clock.ms = 5000;
  assertEquals(await ask(), 2);
});

Deno.test("a failure is not kept", async () => {
  const outcomes = [Promise.reject(new Error("no")), Promise.resolve("yes")];
  const ask = sharedAnswer(() => outcomes.shift() ?? Promise.resolve("again"));
  await assertRejects(ask, Error, "no");
  assertEquals(await ask(), "yes");
});
