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
  cpuGeneration,
  EACCES,
  ENODEV,
  EPERM,
  MappedMemory,
  onlineCpus,
  openPerfOutput,
  pageSizeBytes,
  Poller,
  possibleCpuCount,
  sharePerfOutput,
} from "../../ffi/mod.ts";
import { KernelError } from "../errors.ts";
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
  /** One u64 for each possible CPU: where the buffers lie, in the order in which they came; then zeros. */
  readonly addresses: SharedArrayBuffer;
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
  readonly #addresses: BigUint64Array;
  readonly #cpus: CpuView[] = [];
  /** Samples of one CPU as ring buffer records: each has the room of what it was in the ring. */
  readonly #block: Uint8Array;
  readonly #blockView: DataView;
  #lost = 0;

  constructor({ sizeBytes, addresses }: PerfHandle) {
    this.sizeBytes = sizeBytes;
    this.#addresses = new BigUint64Array(addresses);
    this.#block = new Uint8Array(sizeBytes);
    this.#blockView = new DataView(this.#block.buffer);
  }

  get lost(): number {
    return this.#lost;
  }

  /** Every CPU gets its turn, so a call may consume one buffer of each, whatever it is limited to. */
  withLeases(process: (lease: RingLease) => number): number {
    this.#borrowNew();
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

  /** Takes the buffers that have been opened since the last time. */
  #borrowNew(): void {
    const page = pageSizeBytes();
    while (this.#cpus.length < this.#addresses.length) {
      const address = Atomics.load(this.#addresses, this.#cpus.length);
      if (address === 0n) return;
      const memory = borrowMemory({ address, lengthBytes: page + this.sizeBytes });
      this.#cpus.push({
        head: new BigUint64Array(memory, DATA_HEAD, 1),
        tail: new BigUint64Array(memory, DATA_TAIL, 1),
        data: new Uint8Array(memory, page),
      });
    }
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

/** Buffer of one CPU. */
interface CpuBuffer {
  /** The event that it is mapped from. */
  readonly fd: number;
  readonly memory: MappedMemory;
  /** The event that writes to it, if that is another one: the first ended with its CPU. */
  laterFd?: number;
  /** Of the CPU for which the event was opened; undefined when that has gone, or there is none. */
  generation?: bigint;
}

/** Options of {@linkcode PerfBuffer}. */
export interface PerfBufferOptions {
  /** Told of CPUs that come later, and of those that cannot be looked at. */
  readonly warn: (text: string, hint?: string) => void;
  /** The gadget counts what finds no buffer. */
  readonly countsLosses: boolean;
}

/** The buffers of one perf event array, opened and mapped; those of CPUs that come online later follow. */
export class PerfBuffer implements Disposable {
  readonly fds: readonly number[];
  readonly handle: PerfHandle;
  readonly #map: BpfMap;
  readonly #options: PerfBufferOptions;
  /** By CPU, in the order of the addresses. */
  readonly #buffers = new Map<number, CpuBuffer>();
  readonly #addresses: BigUint64Array;
  /** What events that are opened later wake: whoever waits does so already. */
  readonly #laterPoller: Poller | undefined;
  /** CPUs, or `undefined` for the list of them, of whose failure was told. */
  readonly #failing = new Set<number | undefined>();
  readonly #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Opens a buffer on every CPU that is online and puts it into the array.
   * @throws KernelError; nothing stays open then.
   */
  constructor(map: BpfMap, options: PerfBufferOptions) {
    this.#map = map;
    this.#options = options;
    const possible = possibleCpuCount();
    const addresses = new SharedArrayBuffer(possible * BigUint64Array.BYTES_PER_ELEMENT);
    this.#addresses = new BigUint64Array(addresses);
    this.handle = { kind: "perf", sizeBytes: PAGES_PER_CPU * pageSizeBytes(), addresses };
    try {
      for (const cpu of onlineCpus()) this.#open(cpu, cpuGeneration(cpu));
      const fds = [...this.#buffers.values()].map(({ fd }) => fd);
      if (fds.length < possible) this.#laterPoller = new Poller();
      this.fds = this.#laterPoller === undefined ? fds : [...fds, this.#laterPoller.handle.epollFd];
    } catch (error) {
      this.close();
      throw error;
    }
    this.#timer = setInterval(() => this.#followCpus(), CPU_CHECK_MS);
  }

  /**
   * The kernel ends a CPU's events when it goes offline, for good: a CPU that returns needs a new one. What fails is
   * told once and tried again.
   */
  #followCpus(): void {
    this.#attempt(undefined, "The CPUs cannot be looked at", () => {
      const online = onlineCpus();
      for (const [cpu, buffer] of this.#buffers) {
        if (!online.includes(cpu)) buffer.generation = undefined;
      }
      for (const cpu of online) {
        // Before the event is opened: a CPU that goes meanwhile is seen next time.
        const generation = cpuGeneration(cpu);
        if (this.#buffers.get(cpu)?.generation === generation) continue;
        this.#attempt(
          cpu,
          `CPU ${cpu} came online, and its events are lost`,
          () => this.#follow(cpu, generation),
        );
      }
    });
  }

  #attempt(cpu: number | undefined, what: string, action: () => void): void {
    try {
      action();
      this.#failing.delete(cpu);
    } catch (error) {
      const errno = error instanceof KernelError ? error.errno : 0;
      // It has gone again meanwhile.
      if (errno === ENODEV || this.#failing.has(cpu)) return;
      this.#failing.add(cpu);
      const mayNot = cpu !== undefined && (errno === EACCES || errno === EPERM);
      this.#options.warn(
        `${what}: ${error instanceof Error ? error.message : error}`,
        mayNot ? "start kmeter again: after --user it has no right to open buffers" : undefined,
      );
    }
  }

  #follow(cpu: number, generation: bigint): void {
    const buffer = this.#buffers.get(cpu);
    if (buffer === undefined) this.#open(cpu, generation);
    else this.#reopen(cpu, { buffer, generation });
    const counted = this.#options.countsLosses ? "" : ", and not counted";
    this.#options.warn(`CPU ${cpu} came online: what it sent until now is lost${counted}`);
  }

  #reopen(
    cpu: number,
    { buffer, generation }: { buffer: CpuBuffer; generation: bigint },
  ): void {
    const fd = openPerfOutput(cpu);
    try {
      sharePerfOutput(fd, buffer.fd);
      this.#map.update(bytesOf(cpu), bytesOf(fd));
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
    if (buffer.laterFd !== undefined) closeDescriptor(buffer.laterFd);
    buffer.laterFd = fd;
    buffer.generation = generation;
  }

  #open(cpu: number, generation: bigint): void {
    const fd = openPerfOutput(cpu);
    let memory: MappedMemory | undefined;
    try {
      memory = new MappedMemory({
        fd,
        lengthBytes: pageSizeBytes() + this.handle.sizeBytes,
        offsetBytes: 0,
        writable: true,
        what: `the perf buffer of CPU ${cpu}`,
      });
      this.#laterPoller?.add(fd);
    } catch (error) {
      memory?.close();
      closeDescriptor(fd);
      throw error;
    }
    const buffer: CpuBuffer = { fd, memory };
    // The reader knows it before the first event wakes him. If the array does not take it, it is opened anew.
    Atomics.store(this.#addresses, this.#buffers.size, memory.handle.address);
    this.#buffers.set(cpu, buffer);
    this.#map.update(bytesOf(cpu), bytesOf(fd));
    buffer.generation = generation;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#laterPoller?.[Symbol.dispose]();
    for (const { fd, laterFd, memory } of this.#buffers.values()) {
      memory.close();
      if (laterFd !== undefined) closeDescriptor(laterFd);
      closeDescriptor(fd);
    }
    this.#buffers.clear();
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
