/** One body for several scrapes. */

import type { BodySource } from "./body_source.ts";

/** What a body keeps for those that read more slowly than others. */
export const PAGE_WINDOW_BYTES = 2 * 1024 * 1024;

/** Options of a {@linkcode SharedBody}. */
export interface SharedBodyOptions {
  readonly windowBytes?: number;
  /** The body cannot go on; told once, however many read it. */
  readonly onError: (error: unknown) => void;
  /** Nobody reads the body any longer. */
  readonly onIdle?: () => void;
}

interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where a reader that has this piece can go on without the others. */
  readonly behind: BodySource;
}

/**
 * Hands the pieces of a source to all its readers. A piece is made when the fastest asks for it and
 * kept until the slowest has it. A reader that is a whole window behind goes on by itself, with a fork of
 * the source: so it holds up nobody, and what is kept for it is bounded.
 */
export class SharedBody {
  readonly #source: BodySource;
  readonly #options: SharedBodyOptions;
  readonly #start: BodySource;
  readonly #readers = new Set<BodyReader>();
  readonly #pieces: Piece[] = [];
  /** Number of the first piece that is kept. */
  #firstPiece = 0;
  #heldBytes = 0;
  #making: Promise<void> | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: BodySource, options: SharedBodyOptions) {
    this.#source = source;
    this.#options = options;
    this.#start = source.fork();
  }

  /**
   * A reader of the whole body; `undefined` if the beginning is gone, or if the end is made: whoever got
   * that may have asked again, and wants newer values.
   */
  join(): BodyReader | undefined {
    if (this.#firstPiece > 0 || this.#ended || this.#failure !== undefined) return undefined;
    return this.joinFirst();
  }

  /** The reader that the body is begun for. */
  joinFirst(): BodyReader {
    const reader = new BodyReader(this, this.#start);
    this.#readers.add(reader);
    return reader;
  }

  /** Bytes kept for slower readers. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The piece of that number, made if need be; `undefined` if the body has ended before it. */
  async piece(index: number): Promise<Piece | undefined> {
    while (index >= this.#firstPiece + this.#pieces.length) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return undefined;
      this.#making ??= this.#make();
      await this.#making;
    }
    return this.#pieces[index - this.#firstPiece];
  }

  leave(reader: BodyReader): void {
    this.#readers.delete(reader);
    this.dropRead();
    if (this.#readers.size === 0) this.#options.onIdle?.();
  }

  /** Forgets the pieces that every reader has. */
  dropRead(): void {
    let slowest = this.#firstPiece + this.#pieces.length;
    for (const reader of this.#readers) slowest = Math.min(slowest, reader.nextPiece);
    for (const { bytes } of this.#pieces.splice(0, slowest - this.#firstPiece)) {
      this.#heldBytes -= bytes.length;
    }
    this.#firstPiece = slowest;
  }

  async #make(): Promise<void> {
    try {
      const bytes = await this.#source.next();
      if (bytes === undefined) {
        this.#ended = true;
        return;
      }
      this.#pieces.push({ bytes, behind: this.#source.fork() });
      this.#heldBytes += bytes.length;
      this.#partWithSlowest();
    } catch (error) {
      this.#failure = { error };
      this.#options.onError(error);
    } finally {
      this.#making = undefined;
    }
  }

  #partWithSlowest(): void {
    const { windowBytes = PAGE_WINDOW_BYTES } = this.#options;
    // The last piece has just been asked for: its reader is no slow one.
    while (this.#heldBytes > windowBytes && this.#pieces.length > 1) {
      for (const reader of [...this.#readers]) {
        if (reader.nextPiece > this.#firstPiece) continue;
        this.#readers.delete(reader);
        reader.goOnWith(new SharedBody(reader.behind.fork(), this.#options));
      }
      this.dropRead();
    }
  }

  /** Takes over a reader that parted with another body. */
  adopt(reader: BodyReader): void {
    this.#readers.add(reader);
  }
}

/** One scrape's place in a body. */
export class BodyReader {
  #body: SharedBody;
  #nextPiece = 0;
  #behind: BodySource;

  constructor(body: SharedBody, start: BodySource) {
    this.#body = body;
    this.#behind = start;
  }

  get nextPiece(): number {
    return this.#nextPiece;
  }

  /** The source behind the last piece that was read. */
  get behind(): BodySource {
    return this.#behind;
  }

  /**
   * The next piece, or `undefined` at the end. Throws what the source throws.
   * Ownership: shared with other readers, never written to.
   */
  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let body: SharedBody;
    let piece: Piece | undefined;
    do {
      body = this.#body;
      piece = await body.piece(this.#nextPiece);
      // While it waited it may have been sent on to a body of its own.
    } while (body !== this.#body);
    if (piece === undefined) return undefined;
    this.#nextPiece++;
    this.#behind = piece.behind;
    body.dropRead();
    return piece.bytes;
  }

  goOnWith(body: SharedBody): void {
    this.#body = body;
    this.#nextPiece = 0;
    body.adopt(this);
  }

  /** Leaves the body to the others. Idempotent. */
  close(): void {
    this.#body.leave(this);
  }
}
