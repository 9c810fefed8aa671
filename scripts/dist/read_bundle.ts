/** The code of a bundle, to look for names in it. */

import { BUNDLE } from "../compile/bundle.ts";

/** All code that `bundleModules` wrote to a folder: its modules, and what they load. */
export function readBundle(folder: string): string {
  return [BUNDLE.main, ...BUNDLE.others].filter((name) => /\.(mjs|code)$/.test(name))
    .map((name) => Deno.readTextFileSync(`${folder}/${name}`)).join("\n");
}
