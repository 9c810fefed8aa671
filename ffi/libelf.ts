/** libelf: sections and symbols of an object file in memory. */

import { openLazily } from "./lazy_library.ts";
import { shippedNames } from "./shipped_library.ts";
import { FormatError } from "../src/errors.ts";
import { readCString } from "./libbpf.ts";

const TABLE = {
  elf_version: { parameters: ["u32"], result: "u32" }, // unsigned version
  elf_memory: { parameters: ["buffer", "usize"], result: "pointer" }, // char *image, size_t size → Elf *
  elf_end: { parameters: ["pointer"], result: "i32" }, // Elf *
  elf_kind: { parameters: ["pointer"], result: "i32" }, // Elf * → Elf_Kind
  elf_errno: { parameters: [], result: "i32" },
  elf_errmsg: { parameters: ["i32"], result: "pointer" }, // int error → const char *
  gelf_getehdr: { parameters: ["pointer", "buffer"], result: "pointer" }, // Elf *, GElf_Ehdr *dst
  elf_getshdrstrndx: { parameters: ["pointer", "buffer"], result: "i32" }, // Elf *, size_t *dst
  elf_nextscn: { parameters: ["pointer", "pointer"], result: "pointer" }, // Elf *, Elf_Scn * → Elf_Scn *
  elf_ndxscn: { parameters: ["pointer"], result: "usize" }, // Elf_Scn *
  gelf_getshdr: { parameters: ["pointer", "buffer"], result: "pointer" }, // Elf_Scn *, GElf_Shdr *dst
  elf_strptr: { parameters: ["pointer", "usize", "usize"], result: "pointer" }, // Elf *, section, offset
} as const satisfies Deno.ForeignLibraryInterface;

const LIBELF = {
  names: ["libelf.so.1", "libelf.so"],
  hint: "install libelf: apt-get install libelf1",
};

type Libelf = Deno.DynamicLibrary<typeof TABLE>["symbols"];
const state: { libelf?: Libelf } = {};

function libelf(): Libelf {
  return state.libelf ??= openLazily(shippedNames() ?? LIBELF, TABLE);
}

/** A section: `bytes` views the image, nothing is copied. */
export interface ElfSection {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A symbol that has a place in a section. */
export interface ElfSymbol {
  readonly section: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly type: "object" | "function" | "other";
}

/** What kmeter reads of an object file. */
export interface ElfObject {
  readonly sections: ReadonlyMap<string, Uint8Array>;
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
}

const ELF_MAGIC = "7f 45 4c 46";
const EV_CURRENT = 1;
const ELF_K_ELF = 3;
const ELFCLASS64 = 2;
const EI_CLASS = 4;
const EM_BPF = 247;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const EHDR_SIZE_BYTES = 64;
const SHDR_SIZE_BYTES = 64;
const SYM_SIZE_BYTES = 24;

/**
 * Reads the sections and symbols of a 64-bit eBPF object.
 *
 * @param image the whole file; the result's bytes are views of it.
 * @param what names the file in errors.
 * @throws FormatError if the image is no ELF, is truncated, or is not for eBPF.
 */
export function readElf(image: Uint8Array<ArrayBuffer>, what: string): ElfObject {
  libelf().elf_version(EV_CURRENT);
  const elf = libelf().elf_memory(image, BigInt(image.byteLength));
  if (elf === null) throw notElf(image, what);
  try {
    if (libelf().elf_kind(elf) !== ELF_K_ELF || image[EI_CLASS] !== ELFCLASS64) {
      throw notElf(image, what);
    }
    checkHeader(elf, image, what);
    return readSections(elf, image, what);
  } finally {
    libelf().elf_end(elf);
  }
}

function notElf(image: Uint8Array, what: string): FormatError {
  const magic = Array.from(image.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
  if (magic.join(" ") === ELF_MAGIC) {
    return damaged(what, `its ${image.byteLength} bytes are no whole 64-bit ELF file`);
  }
  return new FormatError(
    `Cannot read "${what}": not an ELF file (starts with ${
      magic.join(" ") || "nothing"
    }, wanted ${ELF_MAGIC})`,
    { offset: 0, hint: "give a compiled eBPF object: kmeter build FOLDER makes one" },
  );
}

function damaged(what: string, how: string): FormatError {
  return new FormatError(`Cannot read "${what}": ${how}`, {
    hint: "the file is truncated or damaged; build or copy it anew",
  });
}

function libelfError(what: string, call: string): FormatError {
  const code = libelf().elf_errno();
  const text = readCString(libelf().elf_errmsg(code)) ?? `error ${code}`;
  return damaged(what, `${text} (${call})`);
}

/** The machine, and that the section table (`e_shoff` 40 u64, `e_shentsize` 58, `e_shnum` 60) is there. */
function checkHeader(elf: Deno.PointerObject, image: Uint8Array, what: string): void {
  const header = new Uint8Array(EHDR_SIZE_BYTES);
  if (libelf().gelf_getehdr(elf, header) === null) throw libelfError(what, "gelf_getehdr");
  const view = new DataView(header.buffer);
  const end = Number(view.getBigUint64(40, true)) +
    view.getUint16(58, true) * view.getUint16(60, true);
  if (end > image.byteLength) {
    throw damaged(what, `its section table ends at byte ${end}, the file has ${image.byteLength}`);
  }
  const machine = view.getUint16(18, true);
  if (machine !== EM_BPF) {
    throw new FormatError(
      `Cannot read "${what}": ELF machine is ${machine}, wanted ${EM_BPF} (eBPF, little endian)`,
      { offset: 18, hint: "compile with clang -target bpf, or kmeter build FOLDER" },
    );
  }
}

interface RawSection extends ElfSection {
  readonly index: number;
  readonly type: number;
  readonly link: number;
}

function readSections(elf: Deno.PointerObject, image: Uint8Array, what: string): ElfObject {
  const strndx = new BigUint64Array(1);
  if (libelf().elf_getshdrstrndx(elf, strndx) < 0) throw libelfError(what, "elf_getshdrstrndx");
  const sections: RawSection[] = [];
  let section = libelf().elf_nextscn(elf, null);
  while (section !== null) {
    sections.push(readSection(elf, section, { image, what, namesSection: strndx[0] }));
    section = libelf().elf_nextscn(elf, section);
  }
  const byName = new Map<string, Uint8Array>();
  for (const { name, bytes } of sections) if (!byName.has(name)) byName.set(name, bytes);
  return { sections: byName, symbols: readSymbols(sections, what) };
}

function readSection(
  elf: Deno.PointerObject,
  section: Deno.PointerObject,
  context: { image: Uint8Array; what: string; namesSection: bigint },
): RawSection {
  const { image, what } = context;
  const header = new Uint8Array(SHDR_SIZE_BYTES);
  if (libelf().gelf_getshdr(section, header) === null) throw libelfError(what, "gelf_getshdr");
  const view = new DataView(header.buffer);
  const name = readCString(
    libelf().elf_strptr(elf, context.namesSection, BigInt(view.getUint32(0, true))),
  );
  if (name === undefined) throw libelfError(what, "elf_strptr");
  const type = view.getUint32(4, true);
  const offset = Number(view.getBigUint64(24, true));
  const size = type === SHT_NOBITS ? 0 : Number(view.getBigUint64(32, true));
  if (offset + size > image.byteLength) {
    const end = offset + size;
    throw damaged(what, `section ${name} ends at byte ${end}, the file has ${image.byteLength}`);
  }
  return {
    name,
    type,
    index: Number(libelf().elf_ndxscn(section)),
    link: view.getUint32(40, true),
    bytes: image.subarray(offset, offset + size),
  };
}

/** Symbol table entries: `st_name` 0 u32, `st_info` 4 u8, `st_shndx` 6 u16, `st_value` 8 u64, `st_size` 16 u64. */
function readSymbols(sections: readonly RawSection[], what: string): Map<string, ElfSymbol> {
  const symbols = new Map<string, ElfSymbol>();
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  if (table === undefined) return symbols;
  const strings = sections.find((section) => section.index === table.link);
  if (strings === undefined) {
    throw damaged(what, "the symbol table has no string table");
  }
  const names = new Map(sections.map((section) => [section.index, section.name]));
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength);
  for (let at = 0; at + SYM_SIZE_BYTES <= view.byteLength; at += SYM_SIZE_BYTES) {
    const section = names.get(view.getUint16(at + 6, true));
    const name = stringAt(strings.bytes, view.getUint32(at, true));
    if (section === undefined || name === "") continue;
    symbols.set(name, {
      section,
      offsetBytes: Number(view.getBigUint64(at + 8, true)),
      sizeBytes: Number(view.getBigUint64(at + 16, true)),
      type: symbolType(view.getUint8(at + 4) & 0xf),
    });
  }
  return symbols;
}

function symbolType(type: number): ElfSymbol["type"] {
  return type === 1 ? "object" : type === 2 ? "function" : "other";
}

function stringAt(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return new TextDecoder().decode(bytes.subarray(offset, end < 0 ? bytes.length : end));
}
