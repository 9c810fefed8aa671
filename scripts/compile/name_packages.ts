/** Names of npm packages in a bundle: the same on every machine, wherever its cache is. */

import { relative } from "node:path";
import { runCommand } from "./run_command.ts";

/** A module of a package as the bundle calls it. */
const PACKAGE_MODULE = /\/\/ npm:((?:@[^/\n]+\/)?[^/\n]+)\/([^/\n]+)\//g;

/** Folder in which Deno keeps npm packages, each as `REGISTRY/NAME/VERSION`. */
export async function findNpmCache(): Promise<string> {
  const { npmCache } = JSON.parse(await runCommand([Deno.execPath(), "info", "--json"]));
  return npmCache;
}

/**
 * Calls the modules of packages `npm:NAME/VERSION/PATH`, where the bundler wrote how they are reached
 * from the checkout.
 */
export function namePackages(
  code: string,
  folders: { readonly checkout: string; readonly npmCache: string },
): string {
  const way = relative(folders.checkout, folders.npmCache);
  return code.replaceAll(
    new RegExp(`(// |")${RegExp.escape(way)}/[^/"\n]+/`, "g"),
    (_, before: string) => `${before}npm:`,
  );
}

/** Packages of which modules are in a bundle, as `NAME@VERSION`, sorted. */
export function packagesIn(code: string): string[] {
  const packages = code.matchAll(PACKAGE_MODULE).map(([, name, version]) => `${name}@${version}`);
  return [...new Set(packages)].sort();
}
