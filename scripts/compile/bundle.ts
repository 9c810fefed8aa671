/** The program as few files: one module for the main thread, one for each worker, and what they read. */

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

/**
 * What the code calls the address of its module, the function by which CommonJS packages ask for Node's modules,
 * and the one that reads packed files.
 */
const PARAMETERS = ["moduleUrl", "require", "readPacked"];
/** Defines `readPacked`. The result is short if the file ends earlier. */
const READ_PACKED = `const readPacked = (file, offset, size) =>
  Deno.readFileSync(file).slice(offset, offset + size);
`;
/** prom-client words its errors by node:util, which would cost 1.6 MB. */
const REQUIRE = `(name) => name === "node:util"
  ? { inspect: Deno.inspect, format: Deno.inspect }
  : process.getBuiltinModule(name)`;

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
  for (const { source, output, code } of [MAIN, ...WORKERS]) {
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
    const named = namePackages(await Deno.readTextFile(file), { checkout, npmCache });
    const bundled = renameFiles(named, nameOf);
    if (code === undefined) {
      await Deno.writeTextFile(file, bundled);
    } else {
      const body = `${asFunctionBody(bundled)}//# sourceURL=${code.replace(/\.code$/, ".js")}\n`;
      await Deno.writeTextFile(`${folder}/${code}`, body);
      const first = output === MAIN.output ? prologue : "";
      const loader = loaderOf(nameOf(code), body.length);
      await Deno.writeTextFile(file, readPacked + first + loader);
    }
  }
  await Deno.remove(importMap);
}

/**
 * A module that runs code from a file. Deno parses every module by a parser of its own, to look for imports,
 * before V8 does: for 600 KB of code that is 40 ms and 15 MB, half of all that a start takes.
 */
function loaderOf(code: string, size: number): string {
  const parameters = PARAMETERS.map((name) => `"${name}"`).join(", ");
  // No variable holds the text: it would live as long as the program.
  return `function readCode() {
  const bytes = readPacked(new URL("./${code}", import.meta.url), 0, ${size});
  const text = new TextDecoder().decode(bytes);
  // Freed now, not when the collector comes.
  bytes.buffer.transfer(0);
  return text;
}
const AsyncFunction = (async () => {}).constructor;
await new AsyncFunction(
  ${parameters},
  readCode(),
)(
  import.meta.url,
  ${REQUIRE},
  readPacked,
);
`;
}

/** The code of a bundled module, as the body of an async function with PARAMETERS. */
export function asFunctionBody(code: string): string {
  if (/^(?:import|export)\b/m.test(code)) {
    throw new Error("The bundle has imports or exports: it must stay a module");
  }
  if (/String\.raw`[^`]*[^\0-\x7f]/.test(code)) {
    throw new Error("The bundle has a raw string that is not ASCII: an escape would change it");
  }
  // V8 takes twice the memory for a text with a single character beyond Latin-1.
  return code.replaceAll("import.meta.url", PARAMETERS[0])
    .replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
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
