/** BTF as C: the `vmlinux.h` of a kernel, written by libbpf itself. */

import { libbpf, takeLibbpfLog, toCString } from "./libbpf.ts";
import { EINVAL, ENOENT, errnoCell, kernelError, libc } from "./libc.ts";

/** BTF of the running kernel. */
export const KERNEL_BTF_FILE = "/sys/kernel/btf/vmlinux";

/** Clang makes every access to these types relocatable, unless the program says otherwise. */
const PREAMBLE = `/* The types of a kernel, made of its BTF by kmeter. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;
const EPILOGUE = `
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

/** Errors of `ferror` have no errno of their own by the time they are seen. */
const EIO = 5;

/** What to write, and where. */
export interface KernelHeaderOptions {
  /** File with raw BTF, or an ELF file with a section `.BTF`. */
  readonly btfFile: string;
  /** C header to make, or to write anew. */
  readonly headerFile: string;
}

/**
 * Writes all types of a BTF file as a C header, in an order that compiles.
 *
 * Cost: blocks for 0.1 s and writes 3 MB for the BTF of a usual kernel.
 * @throws KernelError if the BTF cannot be read or the header cannot be written; it is half done then.
 */
export function writeKernelHeader({ btfFile, headerFile }: KernelHeaderOptions): void {
  const btf = parseBtf(btfFile);
  try {
    const stream = openStream(headerFile);
    try {
      writeText(stream, PREAMBLE, headerFile);
      dumpTypes(btf, stream, btfFile);
      writeText(stream, EPILOGUE, headerFile);
    } catch (error) {
      libc().fclose(stream);
      throw error;
    }
    closeStream(stream, headerFile);
  } finally {
    libbpf().btf__free(btf);
  }
}

/** Ownership: the caller frees the result by `btf__free`. */
function parseBtf(file: string): Deno.PointerObject {
  takeLibbpfLog();
  const errno = errnoCell();
  const btf = libbpf().btf__parse(toCString(file), null);
  const failure = errno[0];
  if (btf !== null) return btf;
  throw kernelError({
    call: "btf__parse",
    errno: failure,
    what: `Cannot read kernel BTF "${file}"`,
    details: takeLibbpfLog(),
    hint: failure === ENOENT
      ? "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, or pass --btf FILE"
      : "give a kernel BTF file: raw BTF, or an ELF file with a section .BTF",
  });
}

function dumpTypes(btf: Deno.PointerObject, stream: Deno.PointerObject, file: string): void {
  takeLibbpfLog();
  const errno = errnoCell();
  // vfprintf takes what libbpf gives a printer, and its result is ignored: no type passes JavaScript.
  const dump = libbpf().btf_dump__new(btf, libc().vfprintf, stream, null);
  const failure = errno[0];
  if (dump === null) throw dumpError("btf_dump__new", failure, file);
  try {
    const { btf__type_cnt, btf_dump__dump_type } = libbpf();
    const count = btf__type_cnt(btf);
    for (let id = 1; id < count; id++) {
      const result = btf_dump__dump_type(dump, id);
      if (result < 0) throw dumpError("btf_dump__dump_type", -result, file);
    }
  } finally {
    libbpf().btf_dump__free(dump);
  }
}

function dumpError(call: string, errno: number, file: string): Error {
  return kernelError({
    call,
    errno,
    what: `Cannot turn kernel BTF "${file}" into C`,
    details: takeLibbpfLog(),
    hint: errno === EINVAL
      ? "the file is damaged, or newer than libbpf: kmeter version names that"
      : undefined,
  });
}

/** Ownership: the caller closes the result by `fclose`. */
function openStream(file: string): Deno.PointerObject {
  const errno = errnoCell();
  const stream = libc().fopen(toCString(file), toCString("we"));
  const failure = errno[0];
  if (stream === null) throw streamError("fopen", failure, file);
  return stream;
}

function writeText(stream: Deno.PointerObject, text: string, file: string): void {
  const errno = errnoCell();
  const result = libc().fputs(toCString(text), stream);
  if (result < 0) throw streamError("fputs", errno[0], file);
}

/** Closes a stream, and tells if anything that was written to it got lost. */
function closeStream(stream: Deno.PointerObject, file: string): void {
  const hasFailed = libc().ferror(stream) !== 0;
  const errno = errnoCell();
  const result = libc().fclose(stream);
  if (result !== 0) throw streamError("fclose", errno[0], file);
  if (hasFailed) throw streamError("vfprintf", EIO, file);
}

function streamError(call: string, errno: number, file: string): Error {
  return kernelError({ call, errno, what: `Cannot write "${file}"` });
}
