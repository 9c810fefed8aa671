/** Output of BPF iterators: rows of one struct. */

import { type BpfLink, closeDescriptor, readDescriptor } from "../../ffi/mod.ts";
import { FormatError } from "../errors.ts";

/** Rows of one read, lent until the callback returns. */
export interface IteratorBatch {
  readonly view: DataView;
  readonly count: number;
}

const INITIAL_BYTES = 64 << 10;

/** Runs iterator programs and cuts their output into rows. */
export class IteratorReader {
  readonly #links: readonly BpfLink[];
  readonly #rowSizeBytes: number;
  readonly #buffer: Uint8Array<ArrayBuffer>;

  /** @param links one per program; not owned. */
  constructor(links: readonly BpfLink[], rowSizeBytes: number) {
    this.#links = links;
    this.#rowSizeBytes = rowSizeBytes;
    this.#buffer = new Uint8Array(Math.max(INITIAL_BYTES, rowSizeBytes * 2));
  }

  /**
   * Runs every program once and lends its rows.
   * @returns rows read.
   * @throws KernelError; FormatError if a program writes other sizes than its struct has.
   */
  readAll(process: (batch: IteratorBatch) => void): number {
    let total = 0;
    for (const link of this.#links) {
      const fd = link.openIterator();
      try {
        total += this.#read(fd, { program: link.program, process });
      } finally {
        closeDescriptor(fd);
      }
    }
    return total;
  }

  #read(
    fd: number,
    options: { program: string; process: (batch: IteratorBatch) => void },
  ): number {
    const { program, process } = options;
    const view = new DataView(this.#buffer.buffer);
    let total = 0;
    // A read may end within a row; the rest of it comes with the next.
    let kept = 0;
    for (;;) {
      const room = this.#buffer.subarray(kept);
      const read = readDescriptor(fd, room, `iterator ${program}`);
      if (read === 0) break;
      const filled = kept + read;
      const count = Math.floor(filled / this.#rowSizeBytes);
      if (count > 0) process({ view, count });
      total += count;
      kept = filled - count * this.#rowSizeBytes;
      this.#buffer.copyWithin(0, filled - kept, filled);
    }
    if (kept > 0) {
      throw new FormatError(
        `Iterator ${program} wrote ${kept} bytes that are no whole row of ${this.#rowSizeBytes}`,
        { hint: "the struct in GADGET_ITER must be the one that the program writes" },
      );
    }
    return total;
  }
}
