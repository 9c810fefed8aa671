/**
 * Makes dist/kmeter: one executable that needs nothing beside it.
 *
 * Usage: deno task compile
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { collectAssets } from "./collect_assets.ts";
import { describeVersion } from "./describe_version.ts";
import { packByCompile, packByFusing } from "./pack.ts";
import { runCommand } from "./run_command.ts";

/** Where everything is. */
export const CHECKOUT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(
  /\/$/,
  "",
);
/** Where the results go. */
export const DIST = `${CHECKOUT}/dist`;
const OUTPUT = `${DIST}/kmeter`;

/**
 * Makes dist/kmeter.
 *
 * @param isAnew compiles gadgets that are up to date too: the compiler may be another one.
 * @returns its version.
 */
export async function compile(options: { readonly isAnew: boolean }): Promise<string> {
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
    // Renamed when complete, so that dist/kmeter is never half a program.
    const place = { checkout: CHECKOUT, folder, output: `${OUTPUT}.part` };
    if (!await packByCompile(place)) {
      console.log("deno compile cannot have its base binary (denort): packing npm's Deno instead");
      await packByFusing(place);
    }
    await checkProgram(place.output, version);
    await Deno.rename(place.output, OUTPUT);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const { size } = await Deno.stat(OUTPUT);
  console.log(`dist/kmeter: kmeter ${version}, ${(size / 1e6).toFixed(1)} MB`);
  return version;
}

/** The program must run where nothing is set up before it is called done. */
async function checkProgram(program: string, version: string): Promise<void> {
  const printed = await runCommand([program, "version"], { cwd: "/", clearEnv: true });
  const gadgets = await runCommand([program, "list"], { cwd: "/", clearEnv: true });
  if (printed.includes(`kmeter ${version}\n`) && gadgets.includes("trace_exec")) return;
  throw new Error(`The packed program does not answer as it should:\n${printed}${gadgets}`);
}

if (import.meta.main) {
  try {
    await compile({ isAnew: false });
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    console.error("hint: scripts/setup --compile installs what is needed");
    Deno.exit(1);
  }
}
