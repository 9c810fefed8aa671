/** Kernel memory mapped into the process, lent as ArrayBuffers. */

import { errnoCell, kernelError, libc } from "./libc.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/** What to map. */
export interface MappingOptions {
  readonly fd: number;
  readonly lengthBytes: number;
  /** Multiple of the page size. */
  readonly offsetBytes: number;
  readonly writable: boolean;
  /** For the error message: "the ring buffer \"events\"". */
  readonly what: string;
}

/** Where mapped memory lies; can be posted to another thread. */
export interface MemoryHandle {
  readonly address: bigint;
  readonly lengthBytes: number;
}

/**
 * Lends mapped memory of another thread: the same bytes, no second mapping.
 * Ownership: the other thread's. It must not unmap before the borrower has dropped all views.
 */
export function borrowMemory({ address, lengthBytes }: MemoryHandle): ArrayBuffer {
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer === null) throw new Error("BUG: mapped memory at address 0");
  return Deno.UnsafePointerView.getArrayBuffer(pointer, lengthBytes);
}

/**
 * One `mmap` of a file descriptor.
 *
 * Ownership: `buffer` lives until `close()`. Reading it afterwards is a segmentation fault, so
 * whoever holds a view must drop it first.
 */
export class MappedMemory implements Disposable {
  /** The mapped bytes: no copy, the kernel writes into them. */
  readonly buffer: ArrayBuffer;
  readonly #address: Deno.PointerObject;
  #open = true;

  /** @throws KernelError if the kernel refuses. */
  constructor(options: MappingOptions) {
    const errno = errnoCell();
    const address = libc().mmap(
      null,
      BigInt(options.lengthBytes),
      options.writable ? PROT_READ | PROT_WRITE : PROT_READ,
      MAP_SHARED,
      options.fd,
      BigInt(options.offsetBytes),
    );
    if (address === null || Deno.UnsafePointer.value(address) === 0xffff_ffff_ffff_ffffn) {
      throw kernelError({ call: "mmap", errno: errno[0], what: `Cannot map ${options.what}` });
    }
    this.#address = address;
    this.buffer = Deno.UnsafePointerView.getArrayBuffer(address, options.lengthBytes);
  }

  /** For `borrowMemory` in another thread. */
  get handle(): MemoryHandle {
    return {
      address: Deno.UnsafePointer.value(this.#address),
      lengthBytes: this.buffer.byteLength,
    };
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc().munmap(this.#address, BigInt(this.buffer.byteLength));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
