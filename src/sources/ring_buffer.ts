/**
 * A BPF ring buffer, read in place.
 *
 * Layout (kernel/bpf/ringbuf.c): page 0 holds the consumer position, page 1 the producer position,
 * then the data area mapped twice in a row, so that every record lies in one piece. Positions only
 * grow; a record is a multiple of 8 bytes with an 8-byte header.
 */

import { type BpfMap, MappedMemory, pageSizeBytes } from "../../ffi/mod.ts";
import type { EventBuffer, RingLease } from "./event_buffer.ts";

/** The piece of a ring that is handed out at once: small, so that the producer soon gets room. */
const LEASE_PART = 1 / 16;

/** Consumer of one ring buffer. */
export class RingBuffer implements EventBuffer, Disposable {
  readonly fds: readonly number[];
  readonly sizeBytes: number;
  /** A ring buffer refuses records instead; the gadget counts them. */
  readonly lost = 0;
  readonly #consumerMemory: MappedMemory;
  readonly #producerMemory: MappedMemory;
  readonly #consumerPosition: BigUint64Array;
  readonly #producerPosition: BigUint64Array;
  readonly #data: DataView;
  readonly #leaseBytes: number;

  /** @throws KernelError if the kernel refuses the mapping. */
  constructor(map: BpfMap) {
    this.fds = [map.fd];
    this.sizeBytes = map.maxEntries;
    const page = pageSizeBytes();
    const what = `the ring buffer "${map.name}"`;
    this.#consumerMemory = new MappedMemory({
      fd: map.fd,
      lengthBytes: page,
      offsetBytes: 0,
      writable: true,
      what,
    });
    try {
      this.#producerMemory = new MappedMemory({
        fd: map.fd,
        lengthBytes: page + 2 * this.sizeBytes,
        offsetBytes: page,
        writable: false,
        what,
      });
    } catch (error) {
      this.#consumerMemory.close();
      throw error;
    }
    this.#consumerPosition = new BigUint64Array(this.#consumerMemory.buffer, 0, 1);
    this.#producerPosition = new BigUint64Array(this.#producerMemory.buffer, 0, 1);
    this.#data = new DataView(this.#producerMemory.buffer, page);
    this.#leaseBytes = Math.max(page, this.sizeBytes * LEASE_PART);
  }

  withLeases(process: (lease: RingLease) => number, maxBytes: number): number {
    const start = Number(Atomics.load(this.#consumerPosition, 0));
    let consumed = start;
    while (consumed - start < maxBytes) {
      const pending = Number(Atomics.load(this.#producerPosition, 0)) - consumed;
      if (pending === 0) break;
      const begin = consumed % this.sizeBytes;
      const end = begin + Math.min(pending, this.#leaseBytes);
      const behind = process({ view: this.#data, begin, end });
      if (behind === begin) break;
      consumed += behind - begin;
      // Release: the kernel may reuse the space from here on. It wakes us for the record at this
      // position only if it sees it, so after every store the loop looks for records once more.
      Atomics.store(this.#consumerPosition, 0, BigInt(consumed));
    }
    return consumed - start;
  }

  close(): void {
    this.#consumerMemory.close();
    this.#producerMemory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
