/**
 * Puts code and files into an ELF program so that the code runs first: what `deno compile` would do, where
 * its base binary cannot be had.
 *
 * The runtime keeps all its bytes. Behind them come the new section headers and, on a page of its own, the
 * entry code with the payload. The program header of the notes, which nothing needs to run, becomes the one
 * that maps that page, and the entry point leads there.
 */

import { FormatError, UnsupportedError } from "../../src/errors.ts";

/** What goes into the program. */
export interface Payload {
  /** Machine code of entry.c; it expects the rest right behind itself. A multiple of 16 bytes. */
  readonly entryCode: Uint8Array;
  /** `argv[0]`, and what goes before the module. */
  readonly args: readonly string[];
  /** Arguments that are added behind `args` if the user's first one is the one that stands with them. */
  readonly extraArgs: readonly (readonly [first: string, added: string])[];
  /** Goes right before the user's arguments. */
  readonly module: string;
  /** Variables `NAME=VALUE` that are added. */
  readonly environment: readonly string[];
  /** Beginnings of variables that are not passed on. */
  readonly droppedVariables: readonly string[];
  /** Descriptor of the first file; the others follow. */
  readonly firstFd: number;
  readonly files: readonly Uint8Array[];
}

/** 64-bit words of `struct payload` before its files. */
const HEAD_WORDS = 9;
/** No page of a supported processor is larger, whatever the kernel was built for. */
const PAGE_SIZE_BYTES = 65536;
const EHDR_SIZE_BYTES = 64;
const PHDR_SIZE_BYTES = 56;
const SHDR_SIZE_BYTES = 64;
const ET_DYN = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PF_RX = 5;
const SHT_PROGBITS = 1;
const SHF_ALLOC_EXEC = 6n;
const DT_STRTAB = 5n;
const DT_SYMTAB = 6n;
const DT_RELA = 7n;
const DT_RELASZ = 8n;
const RELA_SIZE_BYTES = 24;
const SYM_SIZE_BYTES = 24;

/** Relocation type `GLOB_DAT` by `e_machine`. */
const GLOB_DAT: Readonly<Record<number, number>> = { 62: 6, 183: 1025 };

/**
 * A program that runs the payload's entry code, and then the runtime. Copies everything.
 *
 * @param runtime a 64-bit little-endian position-independent executable that is linked with libc.
 * @throws FormatError if it is none. UnsupportedError if it has nowhere to put the payload.
 */
export function fuseElf(
  runtime: Uint8Array<ArrayBuffer>,
  payload: Payload,
): Uint8Array<ArrayBuffer> {
  const elf = readHeaders(runtime);
  const sectionsOffset = alignUp(runtime.length, 8);
  const sectionsSize = (elf.sectionCount + 1) * SHDR_SIZE_BYTES;
  const tailOffset = alignUp(sectionsOffset + sectionsSize, PAGE_SIZE_BYTES);
  const tailAddress = alignUp(elf.endAddress, PAGE_SIZE_BYTES);
  const tail = layOutTail(payload, {
    entry: elf.entry - tailAddress,
    environSlot: findEnviron(runtime, elf) - tailAddress,
  });

  const fused = new Uint8Array(tailOffset + tail.length);
  fused.set(runtime);
  fused.set(runtime.subarray(elf.sectionsOffset, elf.sectionsEnd), sectionsOffset);
  fused.set(tail, tailOffset);
  const view = new DataView(fused.buffer);
  setU64(view, 24, tailAddress); // e_entry
  setU64(view, 40, sectionsOffset); // e_shoff
  view.setUint16(60, elf.sectionCount + 1, true); // e_shnum
  const place = { offset: tailOffset, address: tailAddress, size: tail.length };
  writeLoadHeader(view, elf.noteHeader, place);
  // `strip` drops what no section covers.
  writeSectionHeader(view, sectionsOffset + elf.sectionCount * SHDR_SIZE_BYTES, place);
  return fused;
}

interface ElfHeaders {
  readonly machine: number;
  readonly entry: number;
  readonly sectionsOffset: number;
  readonly sectionsEnd: number;
  readonly sectionCount: number;
  /** Offset of the program header that may be replaced. */
  readonly noteHeader: number;
  /** End of what is mapped. */
  readonly endAddress: number;
  readonly segments: readonly Segment[];
}

/** `p_type` 0 u32, `p_offset` 8 u64, `p_vaddr` 16 u64, `p_filesz` 32 u64, `p_memsz` 40 u64. */
interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/** `e_type` 16 u16, `e_machine` 18 u16, `e_entry` 24 u64, `e_phoff` 32 u64, `e_shoff` 40 u64, `e_phnum` 56 u16, `e_shnum` 60 u16. */
function readHeaders(runtime: Uint8Array<ArrayBuffer>): ElfHeaders {
  const view = new DataView(runtime.buffer, runtime.byteOffset, runtime.byteLength);
  const isElf = runtime.length > EHDR_SIZE_BYTES && view.getUint32(0, false) === 0x7f454c46 &&
    view.getUint16(4, true) === 0x0102;
  if (!isElf || view.getUint16(16, true) !== ET_DYN) {
    throw new FormatError("Cannot pack the runtime: it is no 64-bit position-independent ELF", {
      hint: "take the Deno that npm delivers for Linux with glibc",
    });
  }
  const first = getU64(view, 32);
  const count = view.getUint16(56, true);
  const segments = Array.from(
    { length: count },
    (_, index) => readSegment(view, first + index * PHDR_SIZE_BYTES),
  );
  const note = segments.findLastIndex(({ type }) => type === PT_NOTE);
  // Segments are mapped in the order of their addresses, and the new one has the highest.
  if (note < segments.findLastIndex(({ type }) => type === PT_LOAD)) {
    throw new UnsupportedError("Cannot pack the runtime: it has no notes behind its segments", {
      feature: "PT_NOTE",
      hint: "take the Deno that npm delivers for Linux with glibc",
    });
  }
  const loads = segments.filter(({ type }) => type === PT_LOAD);
  const sectionsOffset = getU64(view, 40);
  const sectionCount = view.getUint16(60, true);
  return {
    machine: view.getUint16(18, true),
    entry: getU64(view, 24),
    sectionsOffset,
    sectionsEnd: sectionsOffset + sectionCount * SHDR_SIZE_BYTES,
    sectionCount,
    noteHeader: first + note * PHDR_SIZE_BYTES,
    endAddress: Math.max(...loads.map(({ address, memorySize }) => address + memorySize)),
    segments,
  };
}

function readSegment(view: DataView, at: number): Segment {
  return {
    type: view.getUint32(at, true),
    offset: getU64(view, at + 8),
    address: getU64(view, at + 16),
    fileSize: getU64(view, at + 32),
    memorySize: getU64(view, at + 40),
  };
}

/** Address of the pointer to libc's `environ` that the loader fills in. */
function findEnviron(runtime: Uint8Array<ArrayBuffer>, elf: ElfHeaders): number {
  const view = new DataView(runtime.buffer, runtime.byteOffset, runtime.byteLength);
  const tags = readDynamicTags(view, elf);
  const [relocations, size, symbols, strings] = [DT_RELA, DT_RELASZ, DT_SYMTAB, DT_STRTAB]
    .map((tag) => tags.get(tag) ?? 0);
  const start = offsetOf(elf, relocations);
  for (let at = start; at < start + size; at += RELA_SIZE_BYTES) {
    if (view.getUint32(at + 8, true) !== GLOB_DAT[elf.machine]) continue;
    const symbol = offsetOf(elf, symbols) + view.getUint32(at + 12, true) * SYM_SIZE_BYTES;
    const name = stringAt(runtime, offsetOf(elf, strings) + view.getUint32(symbol, true));
    if (name === "environ" || name === "__environ") return getU64(view, at);
  }
  throw new UnsupportedError("Cannot pack the runtime: it does not use libc's environ", {
    feature: "GLOB_DAT environ",
    hint: "take the Deno that npm delivers for Linux with glibc",
  });
}

function readDynamicTags(view: DataView, elf: ElfHeaders): Map<bigint, number> {
  const tags = new Map<bigint, number>();
  const dynamic = elf.segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return tags;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.fileSize; at += 16) {
    tags.set(view.getBigInt64(at, true), getU64(view, at + 8));
  }
  return tags;
}

function offsetOf(elf: ElfHeaders, address: number): number {
  const segment = elf.segments.find((candidate) =>
    candidate.type === PT_LOAD && address >= candidate.address &&
    address < candidate.address + candidate.fileSize
  );
  if (segment === undefined) {
    throw new FormatError(`Cannot pack the runtime: nothing lies at address ${address}`);
  }
  return address - segment.address + segment.offset;
}

/** The entry code with `struct payload` of entry.c and all that it points to. Offsets count from the code. */
function layOutTail(
  payload: Payload,
  runtime: { readonly entry: number; readonly environSlot: number },
): Uint8Array<ArrayBuffer> {
  const base = payload.entryCode.length;
  if (base % 16 !== 0) throw new Error(`BUG: entry code of ${base} bytes`);
  const lists = [
    payload.args,
    payload.extraArgs.flat(),
    [payload.module],
    payload.environment,
    payload.droppedVariables,
  ].map(stringList);
  const parts = [...lists, ...payload.files];
  const words = new BigInt64Array(HEAD_WORDS + 2 * payload.files.length);
  const offsets: number[] = [];
  let end = words.byteLength;
  for (const part of parts) {
    offsets.push(end);
    end = alignUp(end + part.length, 16);
  }
  words.set([runtime.entry - base, runtime.environSlot - base].map(BigInt));
  words.set(
    [...offsets.slice(0, lists.length), payload.firstFd, payload.files.length].map(BigInt),
    2,
  );
  payload.files.forEach((file, index) => {
    words[HEAD_WORDS + 2 * index] = BigInt(offsets[lists.length + index]);
    words[HEAD_WORDS + 1 + 2 * index] = BigInt(file.length);
  });

  const tail = new Uint8Array(base + end);
  tail.set(payload.entryCode);
  tail.set(new Uint8Array(words.buffer), base);
  parts.forEach((part, index) => tail.set(part, base + offsets[index]));
  return tail;
}

/** NUL-terminated strings, ended by an empty one. */
function stringList(strings: readonly string[]): Uint8Array {
  const unfit = strings.find((text) => text === "" || text.includes("\0"));
  if (unfit !== undefined) throw new Error(`BUG: ${JSON.stringify(unfit)} in a string list`);
  return new TextEncoder().encode(strings.map((text) => `${text}\0`).join("") + "\0");
}

interface Place {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** `p_flags` 4 u32, `p_paddr` 24 u64, `p_align` 48 u64; see Segment. */
function writeLoadHeader(view: DataView, at: number, place: Place): void {
  view.setUint32(at, PT_LOAD, true);
  view.setUint32(at + 4, PF_RX, true);
  setU64(view, at + 8, place.offset);
  setU64(view, at + 16, place.address);
  setU64(view, at + 24, place.address);
  setU64(view, at + 32, place.size);
  setU64(view, at + 40, place.size);
  setU64(view, at + 48, PAGE_SIZE_BYTES);
}

/** `sh_name` 0 u32, `sh_type` 4 u32, `sh_flags` 8 u64, `sh_addr` 16 u64, `sh_offset` 24 u64, `sh_size` 32 u64, `sh_addralign` 48 u64. */
function writeSectionHeader(view: DataView, at: number, place: Place): void {
  view.setUint32(at + 4, SHT_PROGBITS, true);
  view.setBigUint64(at + 8, SHF_ALLOC_EXEC, true);
  setU64(view, at + 16, place.address);
  setU64(view, at + 24, place.offset);
  setU64(view, at + 32, place.size);
  setU64(view, at + 48, 16);
}

function stringAt(bytes: Uint8Array, offset: number): string {
  return new TextDecoder().decode(bytes.subarray(offset, bytes.indexOf(0, offset)));
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

function getU64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function setU64(view: DataView, at: number, value: number): void {
  view.setBigUint64(at, BigInt(value), true);
}
