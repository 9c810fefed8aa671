/** Files of the kernel, read by libc: the same bytes, names and errors as by Deno's own way. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import {
  KernelFile,
  listKernelFolder,
  readKernelFile,
  readKernelText,
  requireKernelPath,
} from "../../../ffi/mod.ts";
import { KernelError } from "../../../src/errors.ts";

Deno.test("what libc reads is what Deno reads", () => {
  // Longer than a page, shorter, and empty.
  const files = ["/proc/kallsyms", "/proc/version", "/dev/null"];
  for (const file of files) assertEquals(readKernelFile(file), Deno.readFileSync(file), file);
  assertEquals(readKernelText("/proc/version"), Deno.readTextFileSync("/proc/version"));
});

Deno.test("folders of any size are listed", () => {
  for (const folder of ["/usr/bin", "/proc/sys/kernel", "/sys/class/net"]) {
    const entries = [...Deno.readDirSync(folder)].map(({ name, isDirectory }) => ({
      name,
      isDirectory,
    }));
    const byName = (one: { name: string }, other: { name: string }) =>
      one.name < other.name ? -1 : 1;
    assertEquals(listKernelFolder(folder).sort(byName), entries.sort(byName), folder);
  }
});

/** Call, path and what comes of it. */
const FAILURES: readonly (readonly [(path: string) => unknown, string, string, string])[] = [
  [readKernelText, "/proc/none", "ENOENT", "open"],
  [readKernelFile, "/proc/self", "EISDIR", "read"],
  [readKernelFile, "/proc/self/mem", "EIO", "read"],
  [listKernelFolder, "/proc/version", "ENOTDIR", "open"],
  [requireKernelPath, "/sys/none", "ENOENT", "open"],
  [requireKernelPath, "/proc/version/x", "ENOTDIR", "open"],
];
Deno.test("a file that cannot be read is an error, and stays open no longer", () => {
  readKernelText("/proc/version");
  const before = countFds();
  for (const [read, path, errno, call] of FAILURES) {
    const message = `Cannot read "${path}": ${errno} from ${call}`;
    const error = assertThrows(() => read(path), KernelError);
    assertEquals([error.message, error.call], [message, call]);
  }
  requireKernelPath("/proc/version");
  listKernelFolder("/proc/self");
  assertEquals(countFds(), before);
});

Deno.test("a file can be closed more than once", () => {
  const before = countFds();
  using file = new KernelFile("/proc/version");
  assertEquals(countFds(), before + 1);
  file.close();
  file.close();
  assertEquals(countFds(), before);
  assertThrows(() => file.readText(), KernelError, "EBADF");
});

function countFds(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
