/** Assets of the packed program: one file beside the program's code, and libbpf beside that. */

import { parseArchive } from "./archive_index.ts";

// The packer gives these files the names under which they can be opened.
const ARCHIVE = new URL("./assets.bin", import.meta.url);
const LIBRARY = new URL("./libbpf.so", import.meta.url);

const state: { index?: ReadonlyMap<string, Uint8Array<ArrayBuffer>> } = {};

function index(): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  return state.index ??= parseArchive(Deno.readFileSync(ARCHIVE));
}

/** Names of the files under a folder at any depth, sorted; none if there is no such folder. */
export function listAssets(folder: string): string[] {
  return [...index().keys()].filter((name) => name.startsWith(`${folder}/`)).sort();
}

/** Copies an asset's bytes; undefined if there is none of that name. */
export function readAsset(name: string): Uint8Array<ArrayBuffer> | undefined {
  return index().get(name)?.slice();
}

/** Path of the shipped libbpf, which holds libelf too. */
export function findLibrary(): string | undefined {
  return LIBRARY.pathname;
}
