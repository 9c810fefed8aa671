/** The program as few files: one module for the main thread, one for each worker, and what they read. */

import { findNpmCache, namePackages } from "./name_packages.ts";
import { runCommand } from "./run_command.ts";

/** Modules and files by the names under which they find each other. */
export interface Bundle {
  readonly main: string;
  /** Files beside it: further modules, assets, libraries. */
  readonly others: readonly string[];
}

/** One module that is an entry of its own. */
interface Entry {
  readonly source: string;
  /** File name of the bundled module. */
  readonly output: string;
}

const MAIN: Entry = { source: "main.ts", output: "kmeter.mjs" };
const WORKERS: readonly Entry[] = [
  { source: "src/engine/ingest_worker.ts", output: "ingest_worker.mjs" },
  { source: "src/export/_gzip_worker.ts", output: "gzip_worker.mjs" },
];
/** Made by others; named here because the program opens them by these names. */
const DATA = ["assets.bin", "libbpf.so"];

/** Files of a bundle. The order is the one in which a packer numbers them. */
export const BUNDLE: Bundle = {
  main: MAIN.output,
  others: [...WORKERS.map(({ output }) => output), ...DATA],
};

/** CommonJS packages ask for Node's modules by `require`, which a module does not have. */
const PRELUDE = "const require = (name) => process.getBuiltinModule(name);\n";

/**
 * Bundles the modules of a checkout into a folder.
 *
 * @param nameOf what a file of the bundle is called where the program will run, relative to the main module.
 */
export async function bundleModules(
  options: {
    readonly checkout: string;
    readonly folder: string;
    readonly nameOf: (file: string) => string;
  },
): Promise<void> {
  const { checkout, folder, nameOf } = options;
  const npmCache = await findNpmCache();
  const importMap = `${folder}/import_map.json`;
  await Deno.writeTextFile(importMap, packedImportMap(checkout));
  for (const { source, output } of [MAIN, ...WORKERS]) {
    const file = `${folder}/${output}`;
    await runCommand([
      Deno.execPath(),
      "bundle",
      "--quiet",
      "--frozen",
      // Without it, CommonJS packages bring `node:module`, which costs 45 ms of a start.
      "--platform=browser",
      `--import-map=${importMap}`,
      `--output=${file}`,
      source,
    ], { cwd: checkout });
    const code = namePackages(await Deno.readTextFile(file), { checkout, npmCache });
    await Deno.writeTextFile(file, PRELUDE + renameFiles(code, nameOf));
  }
  await Deno.remove(importMap);
}

/** The project's import map, and the assets' archive in the place of their folders. */
function packedImportMap(checkout: string): string {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${checkout}/deno.json`));
  const assets = new URL(`file://${checkout}/src/assets/`).href;
  const packed = { [`${assets}checkout.ts`]: `${assets}archive.ts` };
  return JSON.stringify({ imports: { ...imports, ...packed } });
}

/** Gives the files that the code opens the names that they will have. */
export function renameFiles(code: string, nameOf: (file: string) => string): string {
  const outputs = new Map<string, string>(DATA.map((name) => [name, name]));
  for (const { source, output } of WORKERS) outputs.set(source.replace(/^.*\//, ""), output);
  const renamed = code.replaceAll(
    /new URL\("\.\/([^"]+)", import\.meta\.url\)/g,
    (_, name: string) => {
      const output = outputs.get(name);
      if (output === undefined) throw new Error(`The program opens ${name}, which is not packed`);
      return `new URL("./${nameOf(output)}", import.meta.url)`;
    },
  );
  const unknown = /new URL\("(?!\.\/)[^"]*", import\.meta\.url\)/.exec(renamed);
  if (unknown !== null) throw new Error(`The program looks for files beside itself: ${unknown[0]}`);
  return renamed;
}
