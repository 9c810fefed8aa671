/** Assets of a checkout: they lie in its folders. */

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/**
 * Names of the files under a folder at any depth, sorted; none if there is no such folder.
 * A name is the path from the checkout on: `gadgets/trace_exec/gadget.yaml`.
 */
export function listAssets(folder: string): string[] {
  const names: string[] = [];
  for (const entry of entriesOf(`${ROOT}${folder}`)) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory) names.push(...listAssets(name));
    else if (entry.isFile) names.push(name);
  }
  return names.sort();
}

/** Copies an asset's bytes; undefined if there is none of that name. */
export function readAsset(name: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(`${ROOT}${name}`);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Path of the shipped libbpf, which holds libelf too. A checkout ships none: the system's is used. */
export function shippedLibrary(): string | undefined {
  return undefined;
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
