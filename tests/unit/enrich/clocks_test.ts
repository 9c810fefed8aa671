// @ts-types="../_std_assert.d.ts"
import { assert } from "@std/assert";
import { readClocks } from "../../../src/enrich/clocks.ts";

Deno.test("the wall clock is the kernel's now, not the process's start and the time since then", () => {
  const { now } = performance;
  // As if the clock had been set forward by a day since the process began.
  performance.now = () => now.call(performance) - 86_400_000;
  try {
    const apartMs = Number(readClocks().wallNs / 1_000_000n) - Date.now();
    assert(Math.abs(apartMs) < 60_000, `${apartMs} ms apart`);
  } finally {
    performance.now = now;
  }
});
