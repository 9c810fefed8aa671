/**
 * The archive that holds the assets of the packed program.
 *
 * Layout, little endian: `u32` size of the index in bytes; the index, a JSON object from name to
 * `[offset, size]`; the files. Offsets count from the end of the index.
 */

import { FormatError } from "../errors.ts";

const HEAD_SIZE_BYTES = 4;
const HINT = "the program file is damaged: copy or build it anew";

type Index = Readonly<Record<string, readonly [offset: number, size: number]>>;

/** Reads a part of an archive into memory of its own; what lies behind the end is missing. */
export type ReadPart = (offset: number, size: number) => Uint8Array<ArrayBuffer>;

/** An archive that stays where it is: only its index is held. */
export class Archive {
  readonly #read: ReadPart;
  readonly #index: Index;
  /** Where offsets count from. */
  readonly #start: number;

  /** Reads the index. Throws: FormatError if there is none, or the archive ends before it does. */
  constructor(read: ReadPart) {
    this.#read = read;
    const head = this.#part(0, HEAD_SIZE_BYTES);
    const size = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    this.#start = HEAD_SIZE_BYTES + size;
    this.#index = parseIndex(new TextDecoder().decode(this.#part(HEAD_SIZE_BYTES, size)));
  }

  /** Names of all files, sorted. */
  get names(): string[] {
    return Object.keys(this.#index).sort();
  }

  /** Bytes of a file; undefined if there is none of that name. Throws: FormatError if the archive ends within it. */
  read(name: string): Uint8Array<ArrayBuffer> | undefined {
    if (!Object.hasOwn(this.#index, name)) return undefined;
    const [offset, size] = this.#index[name];
    return this.#part(this.#start + offset, size);
  }

  #part(offset: number, size: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#read(offset, size);
    if (bytes.length === size) return bytes;
    throw new FormatError(
      `Cannot read kmeter's own files: they end at byte ${offset + bytes.length}, wanted at least ${
        offset + size
      }`,
      { hint: HINT },
    );
  }
}

/** An archive of these files, in the order of their names, so that the same files give the same bytes. */
export function formatArchive(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const index: Record<string, [number, number]> = {};
  const sorted = [...files].sort(([first], [second]) => (first < second ? -1 : 1));
  let offset = 0;
  for (const [name, bytes] of sorted) {
    index[name] = [offset, bytes.length];
    offset += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(index));
  const archive = new Uint8Array(HEAD_SIZE_BYTES + text.length + offset);
  new DataView(archive.buffer).setUint32(0, text.length, true);
  archive.set(text, HEAD_SIZE_BYTES);
  let end = HEAD_SIZE_BYTES + text.length;
  for (const [, bytes] of sorted) {
    archive.set(bytes, end);
    end += bytes.length;
  }
  return archive;
}

function parseIndex(text: string): Index {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError("Cannot read kmeter's own files: their index is no JSON", {
      hint: HINT,
      cause,
    });
  }
}
