/** Names of what the running kernel can be hooked at, to suggest the nearest one. */

import { listKernelFolder, readKernelFile, requireKernelPath } from "../../ffi/mod.ts";
import { nearestName } from "../text/mod.ts";

const KERNEL_BTF_FILE = "/sys/kernel/btf/vmlinux";
const TRACEPOINTS_FOLDER = "/sys/kernel/tracing/events";
const KPROBES_FOLDER = "/sys/bus/event_source/devices/kprobe";
const SYMBOLS_FILE = "/proc/kallsyms";
/** `struct btf_header` (linux/btf.h): header length, offset and length of the strings behind the header. */
const BTF_HEADER = { headerLength: 4, stringsOffset: 16, stringsLength: 20 } as const;

/** Tracepoints by their bare names, as `tp_btf` and `raw_tp` want them. */
export function kernelTracepoints(): string[] {
  return btfStrings("btf_trace_");
}

/** Kinds of iterators, for example `task`. */
export function kernelIterators(): string[] {
  // Names with more underscores are notes for the verifier.
  return btfStrings("bpf_iter__").filter((name) => !name.includes("__"));
}

/** Functions that the kernel has a symbol of. */
export function kernelFunctions(): string[] {
  const names: string[] = [];
  for (const [, name] of readText(SYMBOLS_FILE).matchAll(/^\S+ [tT] ([\w.]+)/gm)) names.push(name);
  return names;
}

/** Classic tracepoints as `category/name`; none if tracefs cannot be read. */
export function classicTracepoints(): string[] {
  return folders(TRACEPOINTS_FOLDER).flatMap((category) =>
    folders(`${TRACEPOINTS_FOLDER}/${category}`).map((name) => `${category}/${name}`)
  );
}

/** True if programs can be put on kernel functions by kprobes. */
export function hasKprobes(): boolean {
  try {
    requireKernelPath(KPROBES_FOLDER);
    return true;
  } catch {
    return false;
  }
}

/** `did you mean "x"? `; "" if nothing is near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const nearest = nearestName(word, candidates);
  return nearest === undefined ? "" : `did you mean "${nearest}"? `;
}

/** What follows `prefix` in the names of the kernel's types and members. */
function btfStrings(prefix: string): string[] {
  const bytes = readOrEmpty(KERNEL_BTF_FILE);
  if (bytes.byteLength < BTF_HEADER.stringsLength + 4) return [];
  const view = new DataView(bytes.buffer);
  const start = view.getUint32(BTF_HEADER.headerLength, true) +
    view.getUint32(BTF_HEADER.stringsOffset, true);
  const end = start + view.getUint32(BTF_HEADER.stringsLength, true);
  return new TextDecoder().decode(bytes.subarray(start, end)).split("\0")
    .filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

function readText(path: string): string {
  return new TextDecoder().decode(readOrEmpty(path));
}

/** A suggestion is not worth a second error: what cannot be read suggests nothing. */
function readOrEmpty(path: string): Uint8Array<ArrayBuffer> {
  try {
    return readKernelFile(path);
  } catch {
    return new Uint8Array(0);
  }
}

function folders(path: string): string[] {
  try {
    return listKernelFolder(path).filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
