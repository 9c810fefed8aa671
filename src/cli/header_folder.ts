/** The headers that a gadget's source includes, as files: clang reads no archive. */

import { KERNEL_BTF_FILE, writeKernelHeader } from "../../ffi/mod.ts";
import { listAssets, readAsset } from "../assets/mod.ts";

/** Folder of the headers among the assets: `gadget/*.h`, and `bpf/*.h` where kmeter ships them. */
const INCLUDE = "gadgets/include";
const KERNEL_HEADER = "vmlinux.h";

/** A temporary folder with headers. Ownership: `using`, or `close()`, which may be called again. */
export class HeaderFolder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "kmeter_include_" });
  #isOpen = true;

  /**
   * Writes all headers.
   * @param btfFile BTF of the kernel whose `vmlinux.h` is wanted. If absent: the one that is shipped, else
   * the running kernel's.
   * @throws KernelError if the BTF cannot be read.
   */
  fill(btfFile?: string): void {
    for (const asset of listAssets(INCLUDE)) {
      const file = `${this.path}${asset.slice(INCLUDE.length)}`;
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeFileSync(file, readAsset(asset) ?? new Uint8Array());
    }
    const isShipped = readAsset(`${INCLUDE}/${KERNEL_HEADER}`) !== undefined;
    if (isShipped && btfFile === undefined) return;
    writeKernelHeader({
      btfFile: btfFile ?? KERNEL_BTF_FILE,
      headerFile: `${this.path}/${KERNEL_HEADER}`,
    });
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    Deno.removeSync(this.path, { recursive: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
