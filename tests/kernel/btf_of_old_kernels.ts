/** Types as older kernels have them. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert } from "@std/assert";

const KERNEL_BTF = "/sys/kernel/btf/vmlinux";

/**
 * The types of a kernel before 5.8, as far as programs ask for them: helpers of ring buffers have other names.
 * Ownership: the file is gone afterwards.
 */
export function btfWithoutRingBuffers(): Disposable & { readonly path: string } {
  const path = Deno.makeTempFileSync({ prefix: "kmeter_btf_" });
  const text = Deno.readFileSync(KERNEL_BTF);
  const name = new TextEncoder().encode("\0BPF_FUNC_ringbuf_");
  let renamed = 0;
  for (let at = text.indexOf(0); at >= 0; at = text.indexOf(0, at + 1)) {
    if (!name.every((byte, index) => text[at + index] === byte)) continue;
    text[at + "\0BPF_FUNC_".length] = "x".charCodeAt(0);
    renamed++;
  }
  assert(renamed > 3, "this kernel names no helpers of ring buffers");
  Deno.writeFileSync(path, text);
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}
