/**
 * Makes dist/kmeter: one executable that needs nothing beside it.
 *
 * Usage: deno task compile
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { collectAssets } from "./collect_assets.ts";
import { describeVersion } from "./describe_version.ts";
import { packByCompile, packByFusing, type PackOptions } from "./pack.ts";
import { runCommand } from "./run_command.ts";

/** Where everything is. */
export const CHECKOUT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);
/** Where the results go. */
export const DIST = `${CHECKOUT}/dist`;
const OUTPUT = `${DIST}/kmeter`;
/** Renamed when complete, so that dist/kmeter is never half a program. */
const PART = `${OUTPUT}.part`;

/** How the program was made from the runtime and kmeter's files. */
export type Packer = "deno compile" | "fusing";

/** Larger is too much to download. */
const MAX_SIZE_BYTES = 100e6;

/**
 * Makes dist/kmeter.
 *
 * @param isAnew compiles gadgets that are up to date too: the compiler may be another one.
 */
export async function compile(
  options: { readonly isAnew: boolean },
): Promise<{ readonly version: string; readonly packedBy: Packer }> {
  const { text: version, doubt } = await describeVersion(CHECKOUT);
  if (doubt !== undefined) console.warn(`warning: the version is ${version}: ${doubt}`);
  await Deno.mkdir(DIST, { recursive: true });
  const folder = await Deno.makeTempDir({ prefix: "kmeter-compile-" });
  try {
    const how = options.isAnew ? ["--anew"] : [];
    await runCommand(["scripts/build_gadgets", ...how], { cwd: CHECKOUT });
    const bpfHeaders = `${folder}/bpf`;
    await Deno.mkdir(bpfHeaders);
    await runCommand(["scripts/build_libbpf", `${folder}/libbpf.so`, bpfHeaders], {
      cwd: CHECKOUT,
    });
    const assets = collectAssets({ checkout: CHECKOUT, bpfHeaders, version });
    await Deno.writeFile(`${folder}/assets.bin`, assets);
    const packedBy = await pack({ checkout: CHECKOUT, folder, output: PART });
    await checkProgram(PART, version);
    await Deno.rename(PART, OUTPUT);
    const { size } = await Deno.stat(OUTPUT);
    console.log(`dist/kmeter: kmeter ${version}, ${(size / 1e6).toFixed(1)} MB`);
    return { version, packedBy };
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(PART).catch(() => {});
  }
}

async function pack(options: PackOptions): Promise<Packer> {
  const obstacle = await packByCompile(options);
  if (obstacle === undefined) return "deno compile";
  console.log(`deno compile cannot get its base binary (${obstacle}): packing npm's Deno instead`);
  await packByFusing(options);
  return "fusing";
}

/** The program must run where nothing is set up before it is called done. */
async function checkProgram(program: string, version: string): Promise<void> {
  const printed = await runCommand([program, "version"], { cwd: "/", clearEnv: true });
  const gadgets = await runCommand([program, "list"], { cwd: "/", clearEnv: true });
  if (!printed.includes(`kmeter ${version}\n`) || !gadgets.includes("trace_exec")) {
    throw new Error(`The packed program does not answer as it should:\n${printed}${gadgets}`);
  }
  const { size } = await Deno.stat(program);
  if (size > MAX_SIZE_BYTES) {
    throw new Error(`The packed program has ${size} bytes, and may have ${MAX_SIZE_BYTES}`);
  }
}

if (import.meta.main) {
  try {
    await compile({ isAnew: false });
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    const { hint } = error as { hint?: string };
    console.error(`hint: ${hint ?? "scripts/setup --compile installs what is needed"}`);
    Deno.exit(1);
  }
}
