/**
 * The archive that holds the assets of the packed program.
 *
 * Layout, little endian: `u32` size of the index in bytes; the index, a JSON object from name to
 * `[offset, size]`; the files. Offsets count from the end of the index.
 */

import { FormatError } from "../errors.ts";

const HEAD_SIZE_BYTES = 4;
const HINT = "the program file is damaged: copy or build it anew";

/** Files by name; the bytes view the archive. Throws: FormatError if there is no index that fits the archive. */
export function parseArchive(
  archive: Uint8Array<ArrayBuffer>,
): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const head = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const start = HEAD_SIZE_BYTES + (archive.length < HEAD_SIZE_BYTES ? 0 : head.getUint32(0, true));
  if (archive.length < start) throw damaged(archive, start);
  const text = new TextDecoder().decode(archive.subarray(HEAD_SIZE_BYTES, start));
  const index = parseIndex(text);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [name, [offset, size]] of Object.entries(index)) {
    if (start + offset + size > archive.length) throw damaged(archive, start + offset + size);
    files.set(name, archive.subarray(start + offset, start + offset + size));
  }
  return files;
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

function parseIndex(text: string): Record<string, [number, number]> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError("Cannot read kmeter's own files: their index is no JSON", {
      hint: HINT,
      cause,
    });
  }
}

function damaged(archive: Uint8Array, end: number): FormatError {
  return new FormatError(
    `Cannot read kmeter's own files: they end at byte ${archive.length}, wanted at least ${end}`,
    { hint: HINT },
  );
}
