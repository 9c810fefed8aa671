/** From the files of the program to one executable: `deno compile`, or the runtime that npm delivers. */

import { UnsupportedError } from "../../src/errors.ts";
import { BUNDLE, bundleModules } from "./bundle.ts";
import { fuseElf, type Payload } from "./fuse_elf.ts";
import { permissionsOf, readGrants } from "../permissions.ts";
import { runCommand, tryCommand } from "./run_command.ts";

/** What a packer needs to know. */
export interface PackOptions {
  readonly checkout: string;
  /** Holds the data files of the bundle; the modules are written there too. */
  readonly folder: string;
  readonly output: string;
}

const RUN_OPTIONS = [
  ...["--no-prompt", "--quiet", "--no-config", "--no-lock"],
  // The thread that pushes has permissions of its own.
  "--unstable-worker-options",
];

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
  // Else each thread begins 0.1 s later: Deno tries again and again to write what it made of a module.
  "DENO_EMIT_CACHE_MODE=disable",
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
  await bundleModules({ checkout, folder, nameOf: (file) => file, prologue: revokeOthers() });
  const { success, stderr } = await tryCommand([
    Deno.execPath(),
    "compile",
    ...RUN_OPTIONS,
    ...readGrants().map(({ flag }) => flag),
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

/** `deno compile` takes one set of permissions: code gives those back that belong to other commands. */
function revokeOthers(): string {
  const commands = Map.groupBy(
    readGrants().filter(({ command }) => command !== "any"),
    ({ flag }) => flag,
  );
  return [...commands].map(([flag, grants]) => {
    const [, name, variable] = /^--allow-(\w+)(?:=([\w*]+))?$/.exec(flag) ?? [];
    const wanted = JSON.stringify(grants.map(({ command }) => command));
    const descriptor = JSON.stringify({ name, variable });
    return `if (!${wanted}.includes(Deno.args[0])) Deno.permissions.revokeSync(${descriptor});\n`;
  }).join("");
}

const VARIABLES = ENVIRONMENT.map((text) => text.slice(0, text.indexOf("=")));

/** Deno opens nothing below /proc for the program that it runs, but its module and libraries. */
const READ_PACKED = `const { pread } = Deno.dlopen("libc.so.6", {
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
}).symbols;
const readPacked = (file, offset, size) => {
  const fd = Number(file.pathname.slice("/proc/self/fd/".length));
  const bytes = new Uint8Array(size);
  for (let end = 0; end < size;) {
    const count = Number(pread(fd, bytes.subarray(end), BigInt(size - end), BigInt(offset + end)));
    if (count <= 0) return bytes.subarray(0, end);
    end += count;
  }
  return bytes;
};
`;

/** What kmeter starts is to see the user's variables: Deno has read its own by now. */
const RESTORE_ENVIRONMENT = `if (Deno.args[0] === "build") {
  for (const name of ${JSON.stringify(VARIABLES)}) Deno.env.delete(name);
  const { open, close } = Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  }).symbols;
  const fd = open(new TextEncoder().encode("/proc/self/environ\\0"), 0);
  // A program with file capabilities may not read it.
  if (fd >= 0) {
    const environ = readPacked(new URL(\`file:///proc/self/fd/\${fd}\`), 0, 1 << 22);
    close(fd);
    const home = /(?:^|\\0)HOME=([^\\0]*)/.exec(new TextDecoder().decode(environ));
    if (home !== null) Deno.env.set("HOME", home[1]);
  }
}
`;

/** Packs with the Deno that runs this: what npm delivers is enough. */
export async function packByFusing({ checkout, folder, output }: PackOptions): Promise<void> {
  const fdOf = (file: string) =>
    String(FIRST_FD + [BUNDLE.main, ...BUNDLE.others].findIndex((name) => name === file));
  await bundleModules({
    checkout,
    folder,
    nameOf: fdOf,
    readPacked: READ_PACKED,
    prologue: RESTORE_ENVIRONMENT,
  });
  const runtime = await Deno.readFile(Deno.execPath());
  const files = [BUNDLE.main, ...BUNDLE.others].map((name) =>
    Deno.readFileSync(`${folder}/${name}`)
  );
  const program = fuseElf(runtime, {
    entryCode: await buildEntry(checkout, folder),
    ...commandLine(),
    files,
  });
  await Deno.writeFile(output, program, { mode: 0o755 });
}

/** How the runtime is called. Its module is the first file. */
export function commandLine(): Omit<Payload, "entryCode" | "files"> {
  const extraArgs = [
    ...readGrants().filter(({ command }) => command !== "any"),
    { command: "build", flag: `--allow-env=${VARIABLES.join()}` },
  ];
  return {
    args: [
      "kmeter",
      "run",
      ...RUN_OPTIONS,
      ...permissionsOf(),
      "--cached-only",
      "--no-npm",
      // A file without an extension would be parsed as TypeScript, which takes longer.
      "--ext=mjs",
    ],
    extraArgs: extraArgs.map(({ command, flag }) => [command, flag]),
    module: `/proc/self/fd/${FIRST_FD}`,
    environment: ENVIRONMENT,
    droppedVariables: DROPPED_VARIABLES,
    firstFd: FIRST_FD,
  };
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
