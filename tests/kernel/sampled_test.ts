/** Programs that a clock runs, and kernel stacks as text. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertMatch } from "@std/assert";
import { fixture, kernelTest, startGadget, until } from "./harness.ts";

kernelTest("a sampled process is counted on every CPU, with its kernel stack by name", async () => {
  await using gadget = await startGadget(await fixture("sampled"), { show: ["samples"] });
  // A busy child that spends its time in the kernel.
  const child = new Deno.Command("dd", {
    args: ["if=/dev/zero", "of=/dev/null", "bs=1M"],
    stderr: "null",
  }).spawn();
  try {
    await until("samples of dd", () => {
      const own = gadget.rowsOf("samples").filter(({ pid }) => pid === child.pid);
      return own.length >= 10;
    });
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  const rows = gadget.rowsOf("samples").filter(({ pid }) => pid === child.pid);
  const named = rows.map(({ stack }) => String(stack)).filter((stack) => stack !== "");
  assert(named.length > 0, "no sample has a kernel stack");
  for (const stack of named) {
    assertMatch(stack, /^([\w.]+|0x[0-9a-f]+)(; [\w.]+|; 0x[0-9a-f]+)*; $/);
  }
  assert(named.some((stack) => /read|write|zero|clear/.test(stack)), named.join("\n"));
});
