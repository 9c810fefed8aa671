/** /proc/kallsyms, opened while the process may see addresses, and read when a name is wanted. */

const CHUNK_SIZE_BYTES = 1 << 16;

/** The kernel decides at the opening who sees addresses: later reads need no right. Ownership: `using`. */
export class KallsymsFile implements Disposable {
  #file: Deno.FsFile | undefined;

  constructor() {
    try {
      this.#file = Deno.openSync("/proc/kallsyms");
    } catch (error) {
      if (error instanceof TypeError) throw error;
      // Names are an extra: without them addresses are shown.
    }
  }

  /** The whole text, `undefined` if it cannot be read or was read before. Cost: 10 MB. */
  readText(): string | undefined {
    const file = this.#file;
    if (file === undefined) return undefined;
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(CHUNK_SIZE_BYTES);
    let text = "";
    for (;;) {
      const size = file.readSync(chunk);
      if (size === null) break;
      text += decoder.decode(chunk.subarray(0, size), { stream: true });
    }
    this[Symbol.dispose]();
    return text;
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
