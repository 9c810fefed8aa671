/**
 * A BPF ring buffer, read in place.
 *
 * Layout (kernel/bpf/ringbuf.c): page 0 holds the consumer position, page 1 the producer position,
 * then the data area mapped twice in a row, so that every record lies in one piece. Positions only
 * grow; a record is a multiple of 8 bytes with an 8-byte header.
 */

import {
  borrowMemory,
  type BpfMap,
  MappedMemory,
  type MemoryHandle,
  pageSizeBytes,
} from "../../ffi/mod.ts";
import type { EventReader, RingLease } from "./event_reader.ts";

/** The piece of a ring that is handed out at once: small, so that the producer soon gets room. */
const LEASE_PART = 1 / 16;
/**
 * The kernel wakes the consumer for a record only if he is known to have come exactly there. So a
 * reader that is at work says that he is a little behind.
 */
const HELD_BACK_BYTES = 8;

/** A mapped ring; can be posted to the thread that reads it. */
export interface RingHandle {
  readonly kind: "ring";
  readonly sizeBytes: number;
  readonly consumer: MemoryHandle;
  readonly producer: MemoryHandle;
}

/** Reads a ring that is mapped in this process. */
export class RingReader implements EventReader {
  readonly sizeBytes: number;
  readonly isPaced = false;
  /** A ring buffer refuses records instead; the gadget counts them. */
  readonly lost = 0;
  readonly #consumerPosition: BigUint64Array;
  readonly #producerPosition: BigUint64Array;
  readonly #data: DataView;
  readonly #leaseBytes: number;
  #consumed: number;

  constructor({ sizeBytes, consumer, producer }: RingHandle) {
    const page = pageSizeBytes();
    const producerMemory = borrowMemory(producer);
    this.sizeBytes = sizeBytes;
    this.#consumerPosition = new BigUint64Array(borrowMemory(consumer), 0, 1);
    this.#producerPosition = new BigUint64Array(producerMemory, 0, 1);
    this.#data = new DataView(producerMemory, page);
    this.#leaseBytes = Math.max(page, sizeBytes * LEASE_PART);
    this.#consumed = Number(Atomics.load(this.#consumerPosition, 0));
  }

  withLeases(process: (lease: RingLease) => number, maxBytes: number): number {
    const start = this.#consumed;
    while (this.#consumed - start < maxBytes) {
      const pending = Number(Atomics.load(this.#producerPosition, 0)) - this.#consumed;
      if (pending === 0) break;
      const begin = this.#consumed % this.sizeBytes;
      const end = begin + Math.min(pending, this.#leaseBytes);
      const behind = process({ view: this.#data, begin, end });
      if (behind === begin) break;
      this.#consumed += behind - begin;
      // Release: the kernel may reuse the space from here on.
      Atomics.store(this.#consumerPosition, 0, BigInt(this.#consumed - HELD_BACK_BYTES));
    }
    return this.#consumed - start;
  }

  /** A record that came before the kernel saw this makes the descriptor readable all the same. */
  rest(): void {
    Atomics.store(this.#consumerPosition, 0, BigInt(this.#consumed));
  }
}

/** One ring buffer, mapped. */
export class RingBuffer implements Disposable {
  readonly fds: readonly number[];
  readonly handle: RingHandle;
  readonly #consumer: MappedMemory;
  readonly #producer: MappedMemory;

  /** @throws KernelError if the kernel refuses the mapping. */
  constructor(map: BpfMap) {
    this.fds = [map.fd];
    const sizeBytes = map.maxEntries;
    const page = pageSizeBytes();
    const what = `the ring buffer "${map.name}"`;
    this.#consumer = new MappedMemory({
      fd: map.fd,
      lengthBytes: page,
      offsetBytes: 0,
      writable: true,
      what,
    });
    try {
      this.#producer = new MappedMemory({
        fd: map.fd,
        lengthBytes: page + 2 * sizeBytes,
        offsetBytes: page,
        writable: false,
        what,
      });
    } catch (error) {
      this.#consumer.close();
      throw error;
    }
    this.handle = {
      kind: "ring",
      sizeBytes,
      consumer: this.#consumer.handle,
      producer: this.#producer.handle,
    };
  }

  close(): void {
    this.#consumer.close();
    this.#producer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
