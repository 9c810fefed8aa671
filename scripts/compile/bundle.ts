/** The program as few files: a module for the main thread, one for each worker, and what they read. */

import { joinChunks, orderChunks } from "./chunks.ts";
import { findNpmCache, namePackages } from "./name_packages.ts";
import { pathToFileURL } from "node:url";
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
  /** File name of the module. */
  readonly output: string;
  /** File name of the code, where the module is only a loader for it. */
  readonly code?: string;
}

const MAIN: Entry = { source: "main.ts", output: "kmeter.mjs", code: "kmeter.code" };
const WORKERS: readonly Entry[] = [
  {
    source: "src/engine/ingest_worker.ts",
    output: "ingest_worker.mjs",
    code: "ingest_worker.code",
  },
  { source: "src/export/_gzip_worker.ts", output: "gzip_worker.mjs" },
  { source: "src/operators/_operator_worker.ts", output: "operator_worker.mjs" },
  { source: "src/export/otlp/_otlp_worker.ts", output: "otlp_worker.mjs" },
];
/** Made by others; named here because the program opens them by these names. */
const DATA = ["assets.bin", "libbpf.so"];

/** Files of a bundle. The order is the one in which a packer numbers them. */
export const BUNDLE: Bundle = {
  main: MAIN.output,
  others: [
    ...[MAIN, ...WORKERS].flatMap(({ code }) => code ?? []),
    ...WORKERS.map(({ output }) => output),
    ...DATA,
  ],
};

/** Defines `readPacked`. The result is short if the file ends earlier. */
const READ_PACKED = `const readPacked = (file, offset, size) => {
  using opened = Deno.openSync(file);
  opened.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  for (let end = 0; end < size;) {
    const count = opened.readSync(bytes.subarray(end));
    if (count === null) return bytes.slice(0, end);
    end += count;
  }
  return bytes;
};
`;

/**
 * Bundles the modules of a checkout into a folder.
 *
 * @param nameOf what a file of the bundle is called where the program will run, relative to the main module.
 * @param readPacked code that defines `readPacked(file, offset, size)`, where Deno's own API cannot read the files.
 * @param prologue code that runs before everything else on the main thread.
 */
export async function bundleModules(
  options: {
    readonly checkout: string;
    readonly folder: string;
    readonly nameOf: (file: string) => string;
    readonly readPacked?: string;
    readonly prologue?: string;
  },
): Promise<void> {
  const { checkout, folder, nameOf, readPacked = READ_PACKED, prologue = "" } = options;
  const npmCache = await findNpmCache();
  const importMap = `${folder}/import_map.json`;
  await Deno.writeTextFile(importMap, packedImportMap(checkout));
  const bundle = async (source: string, ...how: readonly string[]) =>
    await runCommand([
      Deno.execPath(),
      "bundle",
      "--quiet",
      "--frozen",
      // Without it, CommonJS packages bring `node:module`, which costs 45 ms of a start.
      "--platform=browser",
      `--import-map=${importMap}`,
      ...how,
      source,
    ], { cwd: checkout });
  const readBundled = async (file: string) => {
    const named = namePackages(await Deno.readTextFile(file), { checkout, npmCache });
    return renameFiles(named, nameOf);
  };
  for (const { source, output, code } of [MAIN, ...WORKERS]) {
    const file = `${folder}/${output}`;
    if (code === undefined) {
      await bundle(source, `--output=${file}`);
      await Deno.writeTextFile(file, await readBundled(file));
      continue;
    }
    const parts = `${folder}/chunks`;
    await bundle(source, "--code-splitting", `--outdir=${parts}`);
    const files = new Map<string, string>();
    for (const { name } of Deno.readDirSync(parts)) {
      files.set(name, await readBundled(`${parts}/${name}`));
    }
    await Deno.remove(parts, { recursive: true });
    const entry = source.replace(/^.*\//, "").replace(/\.ts$/, ".js");
    const joined = joinChunks(orderChunks(files, entry), { file: nameOf(code) });
    await Deno.writeTextFile(`${folder}/${code}`, joined.code);
    const first = output === MAIN.output ? prologue : "";
    await Deno.writeTextFile(file, readPacked + first + joined.loader);
  }
  await Deno.remove(importMap);
}

/** The project's import map, and the assets' archive in the place of their folders. */
function packedImportMap(checkout: string): string {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${checkout}/deno.json`));
  const assets = pathToFileURL(`${checkout}/src/assets/`).href;
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
