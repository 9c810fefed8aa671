/**
 * A perf event array: one buffer per CPU, read by copying.
 *
 * Layout (linux/perf_event.h): page 0 is `struct perf_event_mmap_page`, then the data, a ring of
 * records with an 8-byte header (u32 type, u16 misc, u16 size). A record may wrap around the end,
 * so samples are copied into one block, in the form of ring buffer records.
 *
 * The length of a sample includes up to 7 bytes of padding that the kernel does not clear: of an
 * event shorter than its struct, that many bytes behind its end are garbage.
 *
 * A record of 64 KiB or more has the upper bits of its size cut off by the kernel, which gives it only that much room:
 * its sample is longer than it. Such events are lost, and counted; but a size that becomes 0 (samples of 65,517 to
 * 65,524 bytes) leaves no trace.
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
  sharePerfOutput,
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
/** Behind the header: u32 length of the sample, then its bytes. */
const SAMPLE_OFFSET = HEADER_BYTES + 4;
/** How often CPUs are looked at. */
const CPU_CHECK_MS = 200;

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
      if (size < HEADER_BYTES || size > head - at) {
        // One that was too long has been written over what follows: nothing tells where it goes on.
        this.#lost++;
        break;
      }
      if (type === PERF_RECORD_SAMPLE) {
        const length = header.getUint32(HEADER_BYTES, true);
        if (SAMPLE_OFFSET + length > size) {
          this.#lost++;
        } else {
          this.#blockView.setUint32(end, length, true);
          this.#block.set(copyWrapped(cpu.data, at + SAMPLE_OFFSET, length), end + HEADER_BYTES);
          end += HEADER_BYTES + (length + 7 & -8);
        }
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
  readonly #map: BpfMap;
  readonly #warn: (text: string) => void;
  readonly #cpus: { readonly cpu: number; readonly fd: number; readonly memory: MappedMemory }[] =
    [];
  /** Events that took the place of those that ended with their CPU. */
  readonly #laterFds: number[] = [];
  #online: readonly number[] = onlineCpus();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Opens a buffer on every CPU that is online and puts it into the array.
   * @param warn is told of CPUs that come later.
   * @throws KernelError; nothing stays open then.
   */
  constructor(map: BpfMap, warn: (text: string) => void) {
    this.#map = map;
    this.#warn = warn;
    const sizeBytes = PAGES_PER_CPU * pageSizeBytes();
    try {
      for (const cpu of this.#online) this.#openCpu(map, { cpu, sizeBytes });
    } catch (error) {
      this.close();
      throw error;
    }
    this.fds = this.#cpus.map(({ fd }) => fd);
    this.handle = { kind: "perf", sizeBytes, cpus: this.#cpus.map(({ memory }) => memory.handle) };
    this.#timer = setInterval(() => this.#followCpus(), CPU_CHECK_MS);
  }

  /** The kernel ends a CPU's events when it goes offline, for good: a CPU that returns needs a new one. */
  #followCpus(): void {
    const before = this.#online;
    this.#online = onlineCpus();
    for (const cpu of this.#online) {
      if (before.includes(cpu)) continue;
      try {
        this.#reopen(cpu);
        this.#warn(`CPU ${cpu} came online: what it sent until now is lost, and not counted`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#warn(`CPU ${cpu} came online, and its events are lost: ${reason}`);
      }
    }
  }

  #reopen(cpu: number): void {
    const first = this.#cpus.find((candidate) => candidate.cpu === cpu);
    if (first === undefined) throw new Error("it was offline when the gadget was started");
    const fd = openPerfOutput(cpu);
    this.#laterFds.push(fd);
    sharePerfOutput(fd, first.fd);
    this.#map.update(bytesOf(cpu), bytesOf(fd));
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
      this.#cpus.push({ cpu, fd, memory });
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
    map.update(bytesOf(cpu), bytesOf(fd));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const fd of this.#laterFds.splice(0)) closeDescriptor(fd);
    for (const { fd, memory } of this.#cpus.splice(0)) {
      memory.close();
      closeDescriptor(fd);
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function bytesOf(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
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
