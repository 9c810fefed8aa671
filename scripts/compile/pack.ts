/** From the files of the program to one executable: `deno compile`, or the runtime that npm delivers. */

import { UnsupportedError } from "../../src/errors.ts";
import { BUNDLE, bundleModules } from "./bundle.ts";
import { fuseElf } from "./fuse_elf.ts";
import { runCommand, tryCommand } from "./run_command.ts";

/** What a packer needs to know. */
export interface PackOptions {
  readonly checkout: string;
  /** Holds the data files of the bundle; the modules are written there too. */
  readonly folder: string;
  readonly output: string;
}

/** Nothing narrower works: Deno opens /proc and /sys only for --allow-all, and FFI bypasses the rest. */
const RUN_OPTIONS = ["--allow-all", "--no-prompt", "--quiet", "--no-config", "--no-lock"];

/** High enough to miss what a shell or systemd passes on, low enough for the usual limit of 1024. */
const FIRST_FD = 200;

/** Deno reads these; a stranger's values must not change what the program does. */
const DROPPED_VARIABLES = [
  "DENO_",
  "NODE_",
  "NPM_CONFIG_",
  "OTEL_DENO=",
  "COMPLETE=",
  "HOME=",
];
const ENVIRONMENT = [
  // Plain `deno run` asks the network for newer versions of Deno.
  "DENO_NO_UPDATE_CHECK=1",
  "DENO_NO_PACKAGE_JSON=1",
  // Else a folder with a `node` of Deno's own is made and put before PATH.
  "DENO_DISABLE_NODE_SHIM=1",
  // Deno fails if it cannot look for an .npmrc there: the home of many a service is /dev/null.
  "HOME=/proc/kmeter",
  // A folder that cannot be: no cache is written that a later run would trust.
  "DENO_DIR=/dev/null/kmeter",
  // On a terminal Deno would tell that it cannot open its caches.
  "DENO_LOG=error,deno::cache::cache_db=off",
];

/**
 * Packs with `deno compile`.
 * @returns why that cannot be done here, if its base binary cannot be had; undefined if it is done.
 */
export async function packByCompile(
  { checkout, folder, output }: PackOptions,
): Promise<string | undefined> {
  await bundleModules({ checkout, folder, nameOf: (file) => file });
  const { success, stderr } = await tryCommand([
    Deno.execPath(),
    "compile",
    ...RUN_OPTIONS,
    "--no-check",
    ...BUNDLE.others.map((file) => `--include=${file}`),
    `--output=${output}`,
    BUNDLE.main,
  ], { cwd: folder });
  if (success) return undefined;
  if (stderr.includes("Setting up base binary")) return causeOf(stderr);
  throw new UnsupportedError(`deno compile failed:\n${stderr.trim()}`, {
    feature: "deno compile",
    hint:
      `DENORT_BIN or Deno's cache may hold a base binary that is not that of ${Deno.version.deno}`,
  });
}

/** The last cause that Deno tells, in one line: `client error (Connect)`. */
function causeOf(stderr: string): string {
  const causes = /Caused by:\n([\s\S]*?)(?:\n\n|$)/.exec(stderr)?.[1] ?? stderr;
  return causes.trim().split("\n").at(-1)?.replace(/^\s*(?:\d+: )?/, "") ?? "";
}

/** The program, and what it starts, are to see the user's variables: Deno has read its own by now. */
const RESTORE_ENVIRONMENT = `
for (const text of ${
  JSON.stringify(ENVIRONMENT)
}) Deno.env.delete(text.slice(0, text.indexOf("=")));
try {
  const home = /(?:^|\\0)HOME=([^\\0]*)/.exec(Deno.readTextFileSync("/proc/self/environ"));
  if (home !== null) Deno.env.set("HOME", home[1]);
} catch {
  // A program with file capabilities may not read it.
}
`;

/** Packs with the Deno that runs this: what npm delivers is enough. */
export async function packByFusing({ checkout, folder, output }: PackOptions): Promise<void> {
  const fdOf = (file: string) =>
    String(FIRST_FD + [BUNDLE.main, ...BUNDLE.others].findIndex((name) => name === file));
  await bundleModules({ checkout, folder, nameOf: fdOf, prologue: RESTORE_ENVIRONMENT });
  const runtime = await Deno.readFile(Deno.execPath());
  const files = [BUNDLE.main, ...BUNDLE.others].map((name) =>
    Deno.readFileSync(`${folder}/${name}`)
  );
  const program = fuseElf(runtime, {
    entryCode: await buildEntry(checkout, folder),
    args: [
      "kmeter",
      "run",
      ...RUN_OPTIONS,
      "--cached-only",
      // A file without an extension would be parsed as TypeScript, which takes longer.
      "--ext=mjs",
      `/proc/self/fd/${fdOf(BUNDLE.main)}`,
    ],
    environment: ENVIRONMENT,
    droppedVariables: DROPPED_VARIABLES,
    firstFd: FIRST_FD,
    files,
  });
  await Deno.writeFile(output, program, { mode: 0o755 });
}

/** Machine code of entry.c. Compiles in the folder. */
export async function buildEntry(checkout: string, folder: string): Promise<Uint8Array> {
  const sources = `${checkout}/scripts/compile`;
  await runCommand([
    "cc",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-fPIE",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-nostdlib",
    "-static",
    "-Wl,--build-id=none,-z,norelro,--no-warn-rwx-segments",
    `-Wl,-T,${sources}/entry.lds`,
    "-o",
    `${folder}/entry.elf`,
    `${sources}/entry.c`,
  ]);
  await runCommand([
    "objcopy",
    "-O",
    "binary",
    "-j",
    ".text",
    `${folder}/entry.elf`,
    `${folder}/entry.bin`,
  ]);
  return await Deno.readFile(`${folder}/entry.bin`);
}
