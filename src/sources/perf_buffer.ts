/**
 * A perf event array: one buffer per CPU, read by copying.
 *
 * Layout (linux/perf_event.h): page 0 is `struct perf_event_mmap_page`, then the data, a ring of
 * records with an 8-byte header (u32 type, u16 misc, u16 size). A record may wrap around the end,
 * so samples are copied into one block, in the form of ring buffer records.
 *
 * The length of a sample includes up to 7 bytes of padding that the kernel does not clear: of an
 * event shorter than its struct, that many bytes behind its end are garbage.
 */

import {
  borrowMemory,
  type BpfMap,
  closeDescriptor,
  MappedMemory,
  type MemoryHandle,
  onlineCpus,
  openPerfOutput,
  pageSizeBytes,
} from "../../ffi/mod.ts";
import type { EventReader, RingLease } from "./event_reader.ts";

/** Pages per CPU, as `ig` has them. */
const PAGES_PER_CPU = 64;
/** Fields of `struct perf_event_mmap_page`. */
const DATA_HEAD = 1024;
const DATA_TAIL = 1032;
const PERF_RECORD_LOST = 2;
const PERF_RECORD_SAMPLE = 9;
const HEADER_BYTES = 8;

/** Mapped buffers of all CPUs; can be posted to the thread that reads them. */
export interface PerfHandle {
  readonly kind: "perf";
  /** Of one CPU. */
  readonly sizeBytes: number;
  readonly cpus: readonly MemoryHandle[];
}

/** Buffer of one CPU as its reader sees it. */
interface CpuView {
  readonly head: BigUint64Array;
  readonly tail: BigUint64Array;
  readonly data: Uint8Array;
}

/** Reads a perf event array that is mapped in this process. */
export class PerfReader implements EventReader {
  readonly sizeBytes: number;
  readonly isPaced = false;
  readonly #cpus: readonly CpuView[];
  /** Samples of one CPU as ring buffer records: each has the room of what it was in the ring. */
  readonly #block: Uint8Array;
  readonly #blockView: DataView;
  #lost = 0;

  constructor({ sizeBytes, cpus }: PerfHandle) {
    const page = pageSizeBytes();
    this.sizeBytes = sizeBytes;
    this.#cpus = cpus.map((handle) => {
      const memory = borrowMemory(handle);
      return {
        head: new BigUint64Array(memory, DATA_HEAD, 1),
        tail: new BigUint64Array(memory, DATA_TAIL, 1),
        data: new Uint8Array(memory, page),
      };
    });
    this.#block = new Uint8Array(sizeBytes);
    this.#blockView = new DataView(this.#block.buffer);
  }

  get lost(): number {
    return this.#lost;
  }

  /** Every CPU gets its turn, so a call may consume one buffer of each, whatever it is limited to. */
  withLeases(process: (lease: RingLease) => number): number {
    let consumed = 0;
    for (const cpu of this.#cpus) {
      const head = Number(Atomics.load(cpu.head, 0));
      const tail = Number(Atomics.load(cpu.tail, 0));
      if (head === tail) continue;
      const end = this.#copyRecords(cpu, { head, tail });
      // From here on the kernel may write over what was copied.
      Atomics.store(cpu.tail, 0, BigInt(head));
      if (end > 0) process({ view: this.#blockView, begin: 0, end });
      consumed += head - tail;
    }
    return consumed;
  }

  /** The kernel wakes a perf buffer's reader for every sample. */
  rest(): void {}

  /** Turns the records of a CPU into ring buffer records in the block. @returns their end. */
  #copyRecords(cpu: CpuView, { head, tail }: { head: number; tail: number }): number {
    let end = 0;
    for (let at = tail; at < head;) {
      const header = new DataView(copyWrapped(cpu.data, at, 2 * HEADER_BYTES).buffer);
      const type = header.getUint32(0, true);
      const size = header.getUint16(6, true);
      if (type === PERF_RECORD_SAMPLE) {
        // Behind the header: u32 length of the sample, then its bytes.
        const length = header.getUint32(HEADER_BYTES, true);
        this.#blockView.setUint32(end, length, true);
        this.#block.set(copyWrapped(cpu.data, at + HEADER_BYTES + 4, length), end + HEADER_BYTES);
        end += HEADER_BYTES + (length + 7 & -8);
      } else if (type === PERF_RECORD_LOST) {
        // Behind the header: u64 id, u64 number of events.
        const body = copyWrapped(cpu.data, at + HEADER_BYTES, 16);
        this.#lost += Number(new DataView(body.buffer).getBigUint64(8, true));
      }
      at += size;
    }
    return end;
  }
}

/** The buffers of one perf event array, opened and mapped. */
export class PerfBuffer implements Disposable {
  readonly fds: readonly number[];
  readonly handle: PerfHandle;
  readonly #cpus: { readonly fd: number; readonly memory: MappedMemory }[] = [];

  /**
   * Opens a buffer on every CPU that is online and puts it into the array.
   * @throws KernelError; nothing stays open then.
   */
  constructor(map: BpfMap) {
    const sizeBytes = PAGES_PER_CPU * pageSizeBytes();
    try {
      for (const cpu of onlineCpus()) this.#openCpu(map, { cpu, sizeBytes });
    } catch (error) {
      this.close();
      throw error;
    }
    this.fds = this.#cpus.map(({ fd }) => fd);
    this.handle = { kind: "perf", sizeBytes, cpus: this.#cpus.map(({ memory }) => memory.handle) };
  }

  #openCpu(map: BpfMap, { cpu, sizeBytes }: { cpu: number; sizeBytes: number }): void {
    const fd = openPerfOutput(cpu);
    try {
      const memory = new MappedMemory({
        fd,
        lengthBytes: pageSizeBytes() + sizeBytes,
        offsetBytes: 0,
        writable: true,
        what: `the perf buffer of CPU ${cpu}`,
      });
      this.#cpus.push({ fd, memory });
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
    const bytesOf = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
    map.update(bytesOf(cpu), bytesOf(fd));
  }

  close(): void {
    for (const { fd, memory } of this.#cpus.splice(0)) {
      memory.close();
      closeDescriptor(fd);
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Copies bytes from a ring position on. */
function copyWrapped(ring: Uint8Array, position: number, length: number): Uint8Array {
  const start = position % ring.length;
  const copy = new Uint8Array(length);
  const first = Math.min(length, ring.length - start);
  copy.set(ring.subarray(start, start + first));
  copy.set(ring.subarray(0, length - first), first);
  return copy;
}
