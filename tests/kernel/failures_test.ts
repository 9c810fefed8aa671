/** What cannot run says why in a few lines, and leaves nothing in the kernel. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { KernelError, UsageError } from "../../src/errors.ts";
import { kernelFixture, kernelTest, startGadget } from "./harness.ts";

/** More would scroll the reason off a screen. */
const MAX_LINES = 60;

interface Failure {
  readonly gadget: string;
  readonly call: string;
  readonly errno: string;
  /** What the message must say. */
  readonly says: readonly string[];
}

const REFUSED: readonly Failure[] = [
  {
    gadget: "bad_access",
    call: "bpf_object__load",
    errno: "EACCES",
    says: ["prog 'bad_access'", "return *value;", "R0 invalid mem access 'map_value_or_null'"],
  },
  {
    gadget: "endless_loop",
    call: "bpf_object__load",
    errno: "EINVAL",
    says: ["prog 'endless_loop'", "infinite loop detected"],
  },
  {
    gadget: "too_complex",
    call: "bpf_object__load",
    errno: "EFAULT",
    says: ["prog 'too_complex'", "is too complex"],
  },
];

for (const { gadget, call, errno, says } of REFUSED) {
  kernelTest(`${gadget}: the verifier's last lines tell why it is refused`, async () => {
    const folder = await kernelFixture(gadget);
    const error = await assertRejects(() => startGadget(folder), KernelError);
    assertEquals(error.call, call);
    for (const part of says) assertStringIncludes(error.message, part);
    assertStringIncludes(error.message, `Cannot load ${gadget} into the kernel: ${errno}`);
    const lines = error.message.split("\n");
    assert(lines.length < MAX_LINES, `${lines.length} lines`);
    assert(!/^\s*processed \d+ insns/m.test(error.message), "statistics are no reason");
  });
}

function kernelHasNoKprobes(): string | undefined {
  try {
    Deno.statSync("/sys/bus/event_source/devices/kprobe");
    return "this kernel has kprobes";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

kernelTest(
  "a hook that this kernel lacks is named, and the programs before it are detached",
  async () => {
    const folder = await kernelFixture("kprobe_open");
    const error = await assertRejects(() => startGadget(folder), KernelError);
    assertStringIncludes(error.message, "Cannot attach program on_open (kprobe/do_sys_openat2)");
    assertStringIncludes(error.message, "ENOENT");
    assertStringIncludes(error.hint ?? "", "kprobe");
    assert(error.message.split("\n").length < MAX_LINES);
  },
  { probe: kernelHasNoKprobes },
);

kernelTest("a filter or parameter that is wrong leaves nothing loaded", async () => {
  const folder = await kernelFixture("rings");
  await assertRejects(() => startGadget(folder, { filter: "nothing==1" }), UsageError, "nothing");
  await assertRejects(
    () => startGadget(folder, { params: { nothing: "1" } }),
    UsageError,
    "nothing",
  );
});
