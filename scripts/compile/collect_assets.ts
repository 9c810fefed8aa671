/** The files that the program ships. */

import { formatArchive } from "../../src/assets/archive_index.ts";
import { exists } from "./exists.ts";

const GADGET_FILES = ["program.bpf.o", "gadget.yaml", "README.md"];

/** An archive of everything that the program reads by name; names are those in the checkout. */
export function collectAssets(
  options: { readonly checkout: string; readonly bpfHeaders: string; readonly version: string },
): Uint8Array<ArrayBuffer> {
  const { checkout, bpfHeaders, version } = options;
  const assets = new Map<string, Uint8Array>();
  const add = (name: string, path = `${checkout}/${name}`) =>
    assets.set(name, Deno.readFileSync(path));
  for (const { name, isDirectory } of Deno.readDirSync(`${checkout}/gadgets`)) {
    if (!isDirectory || !exists(`${checkout}/gadgets/${name}/gadget.yaml`)) continue;
    for (const file of GADGET_FILES) add(`gadgets/${name}/${file}`);
  }
  for (const folder of ["gadgets/include/gadget", "gadgets/template", "scripts/licenses", "web"]) {
    for (const path of filesUnder(`${checkout}/${folder}`)) add(path.slice(checkout.length + 1));
  }
  for (const path of filesUnder(bpfHeaders)) {
    add(`gadgets/include/bpf/${path.slice(bpfHeaders.length + 1)}`, path);
  }
  add("LICENSE");
  assets.set("version.txt", new TextEncoder().encode(version));
  return formatArchive(assets);
}

function filesUnder(folder: string): string[] {
  if (!exists(folder)) throw new Error(`There is no folder ${folder}`);
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesUnder(`${folder}/${name}`) : [`${folder}/${name}`]
  );
}
