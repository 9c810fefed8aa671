/** The protobuf message of a family, begun with its first metric and ended when the piece leaves. */

import { type ByteWriter, LENGTH_BYTES } from "./_byte_writer.ts";

/**
 * The length of a message stands before it, and a page is written in pieces: so a family that does not
 * fit one piece becomes several messages of that name, which Prometheus takes for one family.
 */
export class FamilyMessage {
  #start = -1;

  /**
   * Makes room for a metric, and begins the message with `header` unless it has begun. False if what
   * is in the buffer must leave first.
   */
  makeRoom(out: ByteWriter, room: { header: Uint8Array; sizeBytes: number }): boolean {
    const { header, sizeBytes } = room;
    if (this.#start >= 0) return out.makeRoom(sizeBytes);
    if (!out.makeRoom(LENGTH_BYTES + header.length + sizeBytes)) return false;
    this.#start = out.beginLength();
    out.bytes(header);
    return true;
  }

  /** Takes back what was written behind `position`, the beginning of the message included. */
  rewind(out: ByteWriter, position: number): void {
    out.rewind(position);
    if (this.#start >= position) this.#start = -1;
  }

  /** Ends the message, if one has begun. */
  end(out: ByteWriter): void {
    if (this.#start >= 0) out.endLength(this.#start);
    this.#start = -1;
  }
}
