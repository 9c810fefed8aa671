// @ts-types="../_std_assert.d.ts"
import { assert } from "@std/assert";
import { readKernelText, releaseStartMemory } from "../../../ffi/mod.ts";

const LEAST_FREED_KIB = 2048;

function residentCodeKib(): number {
  return Number(/^RssFile:\s*(\d+) kB$/m.exec(readKernelText("/proc/self/status"))?.[1]);
}

Deno.test("code that ran at the start is no longer resident, and still runs", () => {
  const before = residentCodeKib();
  releaseStartMemory();
  const after = residentCodeKib();
  assert(after > 0 && after < before - LEAST_FREED_KIB, `${before} KiB before, ${after} KiB after`);
});
