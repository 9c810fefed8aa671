/**
 * Hands records from the thread that counts them to the one that shows them.
 *
 * Layout: as in a BPF ring buffer, positions only grow and records have 8-byte headers. What a piece
 * does not fit into at the end of the data is one discarded record, so every piece lies together.
 *
 * Counting never waits for showing: records that find no room are left out, and their number is kept.
 */

import { closeDescriptor, openEventFd, resetEventFd, signalEventFd } from "../../ffi/mod.ts";
import { RING_DISCARD_BIT, RING_HEADER_BYTES, RING_LENGTH_MASK } from "../metrics/mod.ts";
import type { EventReader, RingLease } from "./event_reader.ts";

/** Elements of `positions`: bytes written and read since the start, and records left out. */
const WRITTEN = 0;
const READ = 1;
const LEFT_OUT = 2;
/** 1 while somebody looks: else nothing is written. */
const OPEN = 3;

/** A pipe; can be posted to another thread. */
export interface RowPipeHandle {
  readonly kind: "pipe";
  readonly sizeBytes: number;
  readonly positions: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
  /** An eventfd that is readable when there is something to show. */
  readonly wakeFd: number;
}

/** One pipe. Pages of its memory are only taken when they are written. */
export class RowPipe {
  readonly fds: readonly number[];
  readonly handle: RowPipeHandle;
  readonly #positions: BigUint64Array;

  /** An open pipe. @param sizeBytes a multiple of 8; more than twice what is written at once. @throws KernelError. */
  constructor(sizeBytes: number) {
    const wakeFd = openEventFd();
    this.fds = [wakeFd];
    this.handle = {
      kind: "pipe",
      sizeBytes,
      positions: new SharedArrayBuffer(32),
      data: new SharedArrayBuffer(sizeBytes),
      wakeFd,
    };
    this.#positions = new BigUint64Array(this.handle.positions);
    this.isOpen = true;
  }

  /** Whether records are written. What has been written can be read all the same. */
  set isOpen(isOpen: boolean) {
    Atomics.store(this.#positions, OPEN, isOpen ? 1n : 0n);
  }

  close(): void {
    closeDescriptor(this.handle.wakeFd);
  }
}

/** The end that the counting thread has. */
export class RowPipeWriter {
  readonly #handle: RowPipeHandle;
  readonly #positions: BigUint64Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(handle: RowPipeHandle) {
    this.#handle = handle;
    this.#positions = new BigUint64Array(handle.positions);
    this.#bytes = new Uint8Array(handle.data);
    this.#view = new DataView(handle.data);
  }

  /** Copies whole records, if somebody looks and there is room for all of them. */
  write({ view, begin, end }: RingLease): void {
    if (Atomics.load(this.#positions, OPEN) === 0n) return;
    const { sizeBytes } = this.#handle;
    let written = Number(this.#positions[WRITTEN]);
    const room = sizeBytes - (written - Number(Atomics.load(this.#positions, READ)));
    const rest = sizeBytes - written % sizeBytes;
    const skipped = rest < end - begin ? rest : 0;
    if (room < skipped + end - begin) {
      Atomics.add(this.#positions, LEFT_OUT, countRecords({ view, begin, end }));
      return;
    }
    if (skipped > 0) {
      const header = (skipped - RING_HEADER_BYTES | RING_DISCARD_BIT) >>> 0;
      this.#view.setUint32(written % sizeBytes, header, true);
      written += skipped;
    }
    const piece = new Uint8Array(view.buffer, view.byteOffset + begin, end - begin);
    this.#bytes.set(piece, written % sizeBytes);
    // Release: behind this the reader finds the bytes.
    Atomics.store(this.#positions, WRITTEN, BigInt(written + end - begin));
  }

  /** Wakes the reader if he has not taken everything. */
  flush(): void {
    if (this.#positions[WRITTEN] !== Atomics.load(this.#positions, READ)) {
      signalEventFd(this.#handle.wakeFd);
    }
  }
}

function countRecords({ view, begin, end }: RingLease): bigint {
  let count = 0n;
  for (let at = begin; at < end;) {
    const header = view.getInt32(at, true);
    if ((header & RING_DISCARD_BIT) === 0) count++;
    at += RING_HEADER_BYTES + ((header & RING_LENGTH_MASK) + 7 & -8);
  }
  return count;
}

/** The end that the showing thread has. */
export class RowPipeReader implements EventReader {
  readonly sizeBytes: number;
  readonly isPaced = true;
  readonly #handle: RowPipeHandle;
  readonly #positions: BigUint64Array;
  readonly #bytes: Uint8Array;
  /** A private copy of the piece in hand: text cannot be decoded from shared memory. */
  #block = new Uint8Array(0);

  constructor(handle: RowPipeHandle) {
    this.sizeBytes = handle.sizeBytes;
    this.#handle = handle;
    this.#positions = new BigUint64Array(handle.positions);
    this.#bytes = new Uint8Array(handle.data);
  }

  /** Records that found no room here; the other thread has counted them all the same. */
  get lost(): number {
    return Number(Atomics.load(this.#positions, LEFT_OUT));
  }

  withLeases(process: (lease: RingLease) => number, maxBytes: number): number {
    resetEventFd(this.#handle.wakeFd);
    let consumed = 0;
    while (consumed < maxBytes) {
      const read = Number(this.#positions[READ]);
      const pending = Number(Atomics.load(this.#positions, WRITTEN)) - read;
      if (pending === 0) break;
      const begin = read % this.sizeBytes;
      const length = Math.min(pending, this.sizeBytes - begin);
      if (this.#block.length < length) this.#block = new Uint8Array(length);
      this.#block.set(this.#bytes.subarray(begin, begin + length));
      Atomics.store(this.#positions, READ, BigInt(read + length));
      process({ view: new DataView(this.#block.buffer), begin: 0, end: length });
      consumed += length;
    }
    return consumed;
  }

  /** The writer wakes the reader whenever there is something. */
  rest(): void {}
}
