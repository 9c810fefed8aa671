/** The headers that a gadget's source includes, as files: clang reads no archive. */

import { KERNEL_BTF_FILE, writeKernelHeader } from "../../ffi/mod.ts";
import { listAssets, readAsset } from "../assets/mod.ts";
import { UsageError } from "../errors.ts";

/** Folder of the headers among the assets: `gadget/*.h`, and `bpf/*.h` where kmeter ships them. */
const INCLUDE = "gadgets/include";
const KERNEL_HEADER = "vmlinux.h";

/** A temporary folder with headers. Ownership: `using`, or `close()`, which may be called again. */
export class HeaderFolder implements Disposable {
  readonly path: string = inTemporary(() => Deno.makeTempDirSync({ prefix: "kmeter_include_" }));
  #isOpen = true;

  /**
   * Writes all headers.
   * @param btfFile BTF of the kernel whose `vmlinux.h` is wanted. If absent: the one that is shipped, else
   * the running kernel's.
   * @throws KernelError if the BTF cannot be read, UsageError if the headers cannot be written.
   */
  fill(btfFile?: string): void {
    const headerFile = `${this.path}/${KERNEL_HEADER}`;
    const names = listAssets(INCLUDE).map((asset) => asset.slice(INCLUDE.length + 1));
    for (const name of names) this.#write(name);
    if (btfFile !== undefined || !names.includes(KERNEL_HEADER)) {
      writeKernelHeader({ btfFile: btfFile ?? KERNEL_BTF_FILE, headerFile });
    }
  }

  #write(name: string): void {
    const bytes = readAsset(`${INCLUDE}/${name}`);
    if (bytes === undefined) throw new Error(`BUG: ${INCLUDE}/${name} is listed and not there`);
    const file = `${this.path}/${name}`;
    inTemporary(() => {
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeFileSync(file, bytes);
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

function inTemporary<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot write headers to a temporary folder: ${reason}`, {
      cause,
      hint: "set TMPDIR to a folder where there is room and where you may write",
    });
  }
}
