/** Attachments. */

import { errnoCell, kernelError, libc } from "./libc.ts";
import { libbpf } from "./libbpf.ts";

/** One `struct bpf_link`. Ownership: closing it detaches the program. */
export class BpfLink implements Disposable {
  readonly program: string;
  #handle: Deno.PointerValue;

  constructor(handle: Deno.PointerObject, program: string) {
    this.#handle = handle;
    this.program = program;
  }

  /**
   * Starts one run of an iterator program.
   * @returns a descriptor to read rows from; the caller closes it.
   */
  openIterator(): number {
    if (this.#handle === null) throw new Error(`BUG: link of ${this.program} used after close`);
    const fd = libbpf().bpf_iter_create(libbpf().bpf_link__fd(this.#handle));
    if (fd < 0) {
      throw kernelError({
        call: "bpf_iter_create",
        errno: -fd,
        what: `Cannot run iterator ${this.program}`,
      });
    }
    return fd;
  }

  close(): void {
    if (this.#handle === null) return;
    libbpf().bpf_link__destroy(this.#handle);
    this.#handle = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Reads from a descriptor, on another thread: what an iterator program does runs inside this call.
 * Ownership: buffer and descriptor must stay until it resolves.
 * @returns bytes read, 0 at the end.
 * @throws KernelError.
 */
export async function readDescriptor(
  fd: number,
  buffer: Uint8Array<ArrayBuffer>,
  what: string,
): Promise<number> {
  const read = Number(await libc().pool_read(fd, buffer, BigInt(buffer.byteLength)));
  // A read that failed has taken nothing, and only one on this thread tells why.
  return read < 0 ? readHere(fd, buffer, what) : read;
}

function readHere(fd: number, buffer: Uint8Array<ArrayBuffer>, what: string): number {
  const errno = errnoCell();
  const count = Number(libc().read(fd, buffer, BigInt(buffer.byteLength)));
  if (count < 0) throw kernelError({ call: "read", errno: errno[0], what: `Cannot read ${what}` });
  return count;
}

/** Closes a raw descriptor. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}
