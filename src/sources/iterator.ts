/** Output of BPF iterators: rows of one struct. */

import { type BpfLink, closeDescriptor, readDescriptor } from "../../ffi/mod.ts";
import { FormatError } from "../errors.ts";

/** Rows of one read, lent until the callback returns. */
export interface IteratorBatch {
  readonly view: DataView;
  readonly count: number;
}

const INITIAL_BYTES = 64 << 10;

/** Runs iterator programs and cuts their output into rows. One run at a time. */
export class IteratorReader {
  readonly #links: readonly BpfLink[];
  readonly #rowSizeBytes: number;
  /** Grows to the largest output so far. */
  #buffer: Uint8Array<ArrayBuffer>;

  /** @param links one per program; not owned, and open while a run is under way. */
  constructor(links: readonly BpfLink[], rowSizeBytes: number) {
    this.#links = links;
    this.#rowSizeBytes = rowSizeBytes;
    this.#buffer = new Uint8Array(Math.max(INITIAL_BYTES, rowSizeBytes * 2));
  }

  /**
   * Runs every program once, on another thread, and lends all rows at once when they are complete:
   * rows are states, of which nobody must see a part.
   * @returns rows read.
   * @throws KernelError; FormatError if a program writes other sizes than its struct has.
   */
  async readAll(process: (batch: IteratorBatch) => void): Promise<number> {
    let filled = 0;
    for (const link of this.#links) {
      const fd = link.openIterator();
      try {
        filled = await this.#read(fd, { program: link.program, filled });
      } finally {
        closeDescriptor(fd);
      }
    }
    const count = filled / this.#rowSizeBytes;
    process({ view: new DataView(this.#buffer.buffer), count });
    return count;
  }

  /** Reads one program's output behind what the buffer holds. @returns bytes held then. */
  async #read(fd: number, options: { program: string; filled: number }): Promise<number> {
    const { program } = options;
    let { filled } = options;
    for (;;) {
      if (filled === this.#buffer.length) this.#grow();
      const room = this.#buffer.subarray(filled);
      const read = await readDescriptor(fd, room, `iterator ${program}`);
      if (read === 0) break;
      filled += read;
    }
    const rest = (filled - options.filled) % this.#rowSizeBytes;
    if (rest > 0) {
      throw new FormatError(
        `Iterator ${program} wrote ${rest} bytes that are no whole row of ${this.#rowSizeBytes}`,
        { hint: "the struct in GADGET_ITER must be the one that the program writes" },
      );
    }
    return filled;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#buffer.length * 2);
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
