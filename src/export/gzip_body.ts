/**
 * A body as one gzip member (RFC 1952), its pieces compressed independently.
 *
 * A piece costs 2 % more for knowing nothing of the one before, and in return the body can go on
 * behind any piece in another place.
 */

import type { BodySource } from "./body_source.ts";
import { combineCrc } from "./crc32.ts";
import type { Deflater } from "./deflater.ts";

/** Pieces rendered or compressed ahead of the reader, so that both threads have work. */
const PIECES_AHEAD = 2;

/** No name, no time, made by level 1, on an unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255);
/** An empty block that is the last. */
const LAST_BLOCK = [3, 0];

/** Where a body is: behind a piece. */
interface Progress {
  readonly text: BodySource;
  readonly hasHeader: boolean;
  readonly crc: number;
  readonly sizeBytes: number;
}

interface PieceAhead {
  readonly deflated: ReturnType<Deflater["deflate"]>;
  readonly textBehind: BodySource;
  readonly sizeBytes: number;
}

/** Compresses what `text` makes. */
export class GzipBody implements BodySource {
  readonly #deflater: Deflater;
  readonly #text: BodySource;
  readonly #ahead: PieceAhead[] = [];
  #progress: Progress;
  #textEnded = false;
  #ended = false;

  constructor(
    text: BodySource,
    { deflater, from }: { deflater: Deflater; from?: Omit<Progress, "text"> },
  ) {
    this.#deflater = deflater;
    this.#text = text;
    this.#progress = { hasHeader: false, crc: 0, sizeBytes: 0, ...from, text: text.fork() };
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (!this.#progress.hasHeader) {
      this.#progress = { ...this.#progress, hasHeader: true };
      return HEADER.slice();
    }
    while (this.#ahead.length < PIECES_AHEAD && !this.#textEnded) await this.#deflateNext();
    const piece = this.#ahead.shift();
    if (piece === undefined) return this.#end();
    const { bytes, crc } = await piece.deflated;
    const { textBehind, sizeBytes } = piece;
    this.#progress = {
      text: textBehind,
      hasHeader: true,
      crc: combineCrc(this.#progress.crc, crc, sizeBytes),
      sizeBytes: this.#progress.sizeBytes + sizeBytes,
    };
    return bytes;
  }

  fork(): GzipBody {
    const { text, ...from } = this.#progress;
    return new GzipBody(text.fork(), { deflater: this.#deflater, from });
  }

  async #deflateNext(): Promise<void> {
    const bytes = await this.#text.next(this.#deflater.takeSpare());
    if (bytes === undefined) {
      this.#textEnded = true;
      return;
    }
    const sizeBytes = bytes.length;
    const deflated = this.#deflater.deflate(bytes);
    // It may fail before anybody asks for it; who asks then gets the failure all the same.
    deflated.catch(() => {});
    this.#ahead.push({ deflated, textBehind: this.#text.fork(), sizeBytes });
  }

  #end(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#ended) return undefined;
    this.#ended = true;
    const bytes = new Uint8Array(LAST_BLOCK.length + 8);
    bytes.set(LAST_BLOCK);
    const view = new DataView(bytes.buffer, LAST_BLOCK.length);
    view.setUint32(0, this.#progress.crc, true);
    view.setUint32(4, this.#progress.sizeBytes, true);
    return bytes;
  }
}
