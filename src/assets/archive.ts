/** Assets of the packed program: one file beside the program's code, and libbpf beside that. */

import { Archive } from "./archive_index.ts";

// The packer gives these files the names under which they can be opened.
const ARCHIVE = new URL("./assets.bin", import.meta.url);
const LIBRARY = new URL("./libbpf.so", import.meta.url);

const state: { archive?: Archive } = {};

function archive(): Archive {
  return state.archive ??= new Archive(readPart);
}

function readPart(offset: number, size: number): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(ARCHIVE);
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  let end = 0;
  while (end < size) {
    const count = file.readSync(bytes.subarray(end));
    if (count === null) break;
    end += count;
  }
  return bytes.subarray(0, end);
}

/** Names of the files under a folder at any depth, sorted; none if there is no such folder. */
export function listAssets(folder: string): string[] {
  return archive().names.filter((name) => name.startsWith(`${folder}/`));
}

/** Copies an asset's bytes; undefined if there is none of that name. */
export function readAsset(name: string): Uint8Array<ArrayBuffer> | undefined {
  return archive().read(name);
}

/** Path of the shipped libbpf, which holds libelf too. */
export function shippedLibrary(): string | undefined {
  return LIBRARY.pathname;
}
