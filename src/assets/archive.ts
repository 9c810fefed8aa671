/** Assets of the packed program: one file beside the program's code, and libbpf beside that. */

import { Archive, type ReadPart } from "./archive_index.ts";

// The packer gives these files the names under which they can be opened.
const ARCHIVE = new URL("./assets.bin", import.meta.url);
const LIBRARY = new URL("./libbpf.so", import.meta.url);

const state: { archive?: Archive } = {};

function archive(): Archive {
  return state.archive ??= new Archive((offset, size) => readPacked(ARCHIVE, offset, size));
}

/** Reads a part of a packed file, as `ReadPart`. The packer's loader gives it: only that knows how to open one. */
declare const readPacked: (file: URL, ...part: Parameters<ReadPart>) => ReturnType<ReadPart>;

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
