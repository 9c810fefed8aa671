/** The library that kmeter ships: libbpf and libelf in one. */

import { shippedLibrary } from "../src/assets/mod.ts";
import type { LibraryNames } from "./lazy_library.ts";
import { errnoCell, kernelError, libc } from "./libc.ts";

const MFD_CLOEXEC = 1;

/** Memory files, by the paths of what was copied into them. */
const copies = new Map<string, string>();

/** Where to open it, and nothing else to try; undefined in a checkout, which takes the system's. */
export function shippedNames(): LibraryNames | undefined {
  const path = shippedLibrary();
  if (path === undefined) return undefined;
  return {
    names: [path.startsWith("/proc/self/fd/") ? path : copyToMemory(path)],
    hint:
      "this is kmeter's own library: copy or build the program anew, or try --libbpf PATH with another",
  };
}

/**
 * Copies a library into a memory file, from which it can be opened. Deno would write a library that lies in
 * a program of `deno compile` to a temporary folder, which may be read-only or allow no execution.
 *
 * @returns the path of the memory file, which stays until the process ends; the same for the same path.
 * @throws KernelError if there is no memory or no descriptor for it.
 */
export function copyToMemory(path: string): string {
  const known = copies.get(path);
  if (known !== undefined) return known;
  const errno = errnoCell();
  const fd = libc().memfd_create(new TextEncoder().encode("kmeter\0"), MFD_CLOEXEC);
  const what = `Cannot copy ${path} to memory`;
  if (fd < 0) throw kernelError({ call: "memfd_create", errno: errno[0], what });
  const copy = `/proc/self/fd/${fd}`;
  writeAll(fd, Deno.readFileSync(path), what);
  copies.set(path, copy);
  return copy;
}

function writeAll(fd: number, bytes: Uint8Array<ArrayBuffer>, what: string): void {
  const errno = errnoCell();
  for (let start = 0; start < bytes.length;) {
    const rest = bytes.subarray(start);
    const size = Number(libc().write(fd, rest, BigInt(rest.length)));
    if (size < 0) throw kernelError({ call: "write", errno: errno[0], what });
    start += size;
  }
}
