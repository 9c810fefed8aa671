/**
 * Makes dist/kmeter: one executable that needs nothing beside it.
 *
 * Usage: deno task compile
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { collectAssets } from "./collect_assets.ts";
import { packByCompile, packByFusing } from "./pack.ts";
import { runCommand } from "./run_command.ts";

const CHECKOUT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");
const DIST = `${CHECKOUT}/dist`;
const OUTPUT = `${DIST}/kmeter`;

async function compile(): Promise<void> {
  const version = await describeVersion();
  await Deno.mkdir(DIST, { recursive: true });
  const folder = await Deno.makeTempDir({ prefix: "kmeter-compile-" });
  try {
    await runCommand(["scripts/build_gadgets"], { cwd: CHECKOUT });
    const bpfHeaders = `${folder}/bpf`;
    await Deno.mkdir(bpfHeaders);
    await runCommand(["scripts/build_libbpf", `${folder}/libbpf.so`, bpfHeaders], {
      cwd: CHECKOUT,
    });
    const assets = collectAssets({ checkout: CHECKOUT, bpfHeaders, version });
    await Deno.writeFile(`${folder}/assets.bin`, assets);
    // Renamed when complete, so that dist/kmeter is never half a program.
    const options = { checkout: CHECKOUT, folder, output: `${OUTPUT}.part` };
    if (!await packByCompile(options)) {
      console.log("deno compile cannot have its base binary (denort): packing npm's Deno instead");
      await packByFusing(options);
    }
    await checkProgram(options.output, version);
    await Deno.rename(options.output, OUTPUT);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const { size } = await Deno.stat(OUTPUT);
  console.log(`dist/kmeter: kmeter ${version}, ${(size / 1e6).toFixed(1)} MB`);
}

/** `git describe`, without the tag's `v`; where there is no tag, the version in deno.json goes before the commit. */
async function describeVersion(): Promise<string> {
  const { version } = JSON.parse(await Deno.readTextFile(`${CHECKOUT}/deno.json`));
  const described = await runCommand(
    ["git", "describe", "--tags", "--always", "--dirty", "--abbrev=12"],
    { cwd: CHECKOUT },
  );
  const text = described.trim();
  return /^v\d/.test(text) ? text.slice(1) : `${version}-g${text}`;
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
    await compile();
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    console.error("hint: scripts/setup --compile installs what is needed");
    Deno.exit(1);
  }
}
