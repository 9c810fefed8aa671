/**
 * Writes dist/kmeter.cdx.json: what dist/kmeter holds, as CycloneDX.
 *
 * Usage: deno task sbom
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { CHECKOUT, DIST } from "../compile/compile.ts";
import { describeVersion, sourceTime } from "../compile/describe_version.ts";
import type { Contents } from "../sbom/contents.ts";
import { collectContents } from "./collect_contents.ts";
import { SBOM } from "./names.ts";

/** Writes the document of the program in dist/. */
export async function writeSbom(
  { version, time }: { readonly version: string; readonly time: number },
): Promise<void> {
  const contents = await collectContents({
    checkout: CHECKOUT,
    program: `${DIST}/kmeter`,
    version,
    time,
  });
  await Deno.writeTextFile(`${DIST}/${SBOM}`, await formatSbom(contents));
}

/** The document of any contents. Runs scripts/sbom, whose packages kmeter does without. */
export async function formatSbom(contents: Contents): Promise<string> {
  const folder = `${CHECKOUT}/scripts/sbom`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--quiet", "--frozen", "--config", `${folder}/deno.json`],
      `${folder}/write_sbom.ts`,
    ],
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(contents)));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`The SBOM cannot be written:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  try {
    const { text: version } = await describeVersion(CHECKOUT);
    await writeSbom({
      version,
      time: await sourceTime(CHECKOUT, Deno.env.get("SOURCE_DATE_EPOCH")),
    });
    console.log(`dist/${SBOM}`);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    console.error("hint: deno task compile makes dist/kmeter; scripts/setup --compile the rest");
    Deno.exit(1);
  }
}
