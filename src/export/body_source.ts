/** Bodies of answers, made piece by piece. */

import { ByteWriter } from "./_byte_writer.ts";
import type { Pace } from "./pace.ts";
import type { Page } from "./page.ts";

/** Size of a piece, unless one label set needs more: what a deflater needs to find its repetitions. */
export const PIECE_BYTES = 256 * 1024;

/** Makes a body. */
export interface BodySource {
  /**
   * The next piece, or `undefined` at the end. One call at a time.
   * Ownership: the caller's. `spare` may be used for it, whatever it holds.
   */
  next(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** A source that goes on behind the last piece, independently. */
  fork(): BodySource;
}

/** Lends buffers, so that scrapes allocate none beside the pieces they hand out. */
export class WriterPool {
  #spare: ByteWriter | undefined;

  take(): ByteWriter {
    const writer = this.#spare ?? new ByteWriter(PIECE_BYTES);
    this.#spare = undefined;
    return writer;
  }

  giveBack(writer: ByteWriter): void {
    writer.clear();
    this.#spare = writer;
  }
}

/** The bytes of a page. */
export class PageBody implements BodySource {
  readonly #page: Page;
  readonly #use: { readonly pace: Pace; readonly writers: WriterPool };

  constructor(page: Page, use: { pace: Pace; writers: WriterPool }) {
    this.#page = page;
    this.#use = use;
  }

  async next(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { pace, writers } = this.#use;
    const out = writers.take();
    try {
      do await pace.breathe(); while (this.#page.writeTo(out) === "under way");
      return out.position === 0 ? undefined : copyPiece(out.written(), spare);
    } finally {
      writers.giveBack(out);
    }
  }

  fork(): PageBody {
    return new PageBody(this.#page.fork(), this.#use);
  }
}

function copyPiece(
  piece: Uint8Array<ArrayBuffer>,
  spare: ArrayBuffer | undefined,
): Uint8Array<ArrayBuffer> {
  if (spare === undefined || spare.byteLength < piece.length) return piece.slice();
  const copy = new Uint8Array(spare, 0, piece.length);
  copy.set(piece);
  return copy;
}
