/**
 * Starts and stops a gadget three times as often as the argument says; prints as JSON what memory is
 * in use after each third. Needs `--v8-flags=--expose-gc`.
 */

import { CHECKOUT, startGadget } from "./harness.ts";

const cycles = Number(Deno.args[0]);
const collectGarbage: unknown = Reflect.get(globalThis, "gc");
if (typeof collectGarbage !== "function") throw new Error("run with --v8-flags=--expose-gc");

const sizes: Deno.MemoryUsage[] = [];
for (let third = 0; third < 3; third++) {
  for (let cycle = 0; cycle < cycles; cycle++) {
    const gadget = await startGadget(`${CHECKOUT}tests/kernel/gadgets/rings`);
    await gadget.run("fill_both", [1000]);
    await gadget.running.stop();
  }
  // Buffers are freed on another thread, some time after they are found to be garbage.
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  sizes.push(Deno.memoryUsage());
}
await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(sizes)}\n`));
