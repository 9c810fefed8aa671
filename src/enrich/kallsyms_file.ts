/** /proc/kallsyms, opened while the process may see addresses, and read when a name is wanted. */

import { KernelFile } from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";

/** The kernel decides at the opening who sees addresses: later reads need no right. Ownership: `using`. */
export class KallsymsFile implements Disposable {
  #file: KernelFile | undefined;

  constructor() {
    try {
      this.#file = new KernelFile("/proc/kallsyms");
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      // Names are an extra: without them addresses are shown.
    }
  }

  /** The whole text, `undefined` if it cannot be read or was read before. Cost: 10 MB. */
  readText(): string | undefined {
    const text = this.#file?.readText();
    this[Symbol.dispose]();
    return text;
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
