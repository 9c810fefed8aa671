/**
 * Files below /proc and /sys, read by libc. Deno opens them for `--allow-all` only, and kmeter runs with less.
 * Every path will do: what users name, such as `--btf FILE`, may lie there or anywhere else.
 */

import { toCString } from "./libbpf.ts";
import { EINTR, errnoCell, kernelError, libc } from "./libc.ts";

const O_RDONLY = 0;
const O_DIRECTORY = Deno.build.arch === "x86_64" ? 0o200000 : 0o40000;
const O_CLOEXEC = 0o2000000;
/** Names a file without opening it: enough to know that it is there. */
const O_PATH = 0o10000000;

/** The kernel gives no more than a page of procfs or sysfs at once. */
const CHUNK_SIZE_BYTES = 4096;

/** `struct linux_dirent64`: where its fields are. */
const DIRENT = { inode: 0, length: 16, type: 18, name: 19 } as const;
const DT_DIR = 4;

/** One entry of a folder. */
export interface KernelFolderEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** An open file, read from its start to its end. Ownership: `using`, or `close()`, which may be called again. */
export class KernelFile implements Disposable {
  readonly #path: string;
  #fd: number;

  /** @throws KernelError if it cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#fd = open(path, O_RDONLY);
  }

  /** Copies the bytes from here to the end, chunk by chunk; each is valid until the next. Throws: KernelError. */
  *chunks(): Generator<Uint8Array<ArrayBuffer>> {
    const chunk = new Uint8Array(CHUNK_SIZE_BYTES);
    for (;;) {
      const size = perform(
        "read",
        this.#path,
        () => libc().read(this.#fd, chunk, BigInt(chunk.length)),
      );
      if (size === 0) return;
      yield chunk.subarray(0, size);
    }
  }

  /** Copies the text from here to the end. Throws: KernelError. */
  readText(): string {
    const decoder = new TextDecoder();
    let text = "";
    for (const chunk of this.chunks()) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  }

  close(): void {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Copies a file's bytes. Throws: KernelError. */
export function readKernelFile(path: string): Uint8Array<ArrayBuffer> {
  using file = new KernelFile(path);
  const chunks = [...file.chunks().map((chunk) => chunk.slice())];
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes;
}

/** Copies a file's text. Throws: KernelError. */
export function readKernelText(path: string): string {
  return new TextDecoder().decode(readKernelFile(path));
}

/** Makes sure that a path can be reached, whoever may read what is there. Throws: KernelError. */
export function requireKernelPath(path: string): void {
  libc().close(open(path, O_PATH));
}

/** What is in a folder, in the kernel's order. Throws: KernelError. */
export function listKernelFolder(path: string): KernelFolderEntry[] {
  const fd = open(path, O_RDONLY | O_DIRECTORY);
  try {
    const entries: KernelFolderEntry[] = [];
    const chunk = new Uint8Array(CHUNK_SIZE_BYTES);
    for (;;) {
      const size = perform(
        "getdents64",
        path,
        () => libc().getdents64(fd, chunk, BigInt(chunk.length)),
      );
      if (size === 0) return entries;
      entries.push(...parseEntries(chunk.subarray(0, size)));
    }
  } finally {
    libc().close(fd);
  }
}

/** Inode number of a folder of sysfs, whose first entry is itself: another one if it was removed and made anew. Throws: KernelError. */
export function kernelFolderInode(path: string): bigint {
  const fd = open(path, O_RDONLY | O_DIRECTORY);
  try {
    const chunk = new Uint8Array(CHUNK_SIZE_BYTES);
    perform("getdents64", path, () => libc().getdents64(fd, chunk, BigInt(chunk.length)));
    return new DataView(chunk.buffer).getBigUint64(DIRENT.inode, true);
  } finally {
    libc().close(fd);
  }
}

function* parseEntries(bytes: Uint8Array): Generator<KernelFolderEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0; start < bytes.length;) {
    const length = view.getUint16(start + DIRENT.length, true);
    const nameStart = start + DIRENT.name;
    const name = new TextDecoder().decode(bytes.subarray(nameStart, bytes.indexOf(0, nameStart)));
    if (name !== "." && name !== "..") {
      yield { name, isDirectory: bytes[start + DIRENT.type] === DT_DIR };
    }
    start += length;
  }
}

function open(path: string, flags: number): number {
  return perform("open", path, () => BigInt(libc().open(toCString(path), flags | O_CLOEXEC)));
}

/** Makes a call until no signal interrupts it. @returns its result. Throws: KernelError if it is negative. */
function perform(call: string, path: string, action: () => bigint): number {
  const errno = errnoCell();
  for (;;) {
    const result = Number(action());
    if (result >= 0) return result;
    const failure = errno[0];
    if (failure === EINTR) continue;
    throw kernelError({ call, errno: failure, what: `Cannot read "${path}"` });
  }
}
