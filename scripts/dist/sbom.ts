/** Writes dist/kmeter.cdx.json: what dist/kmeter holds, as CycloneDX. */

import { CHECKOUT, DIST } from "../compile/compile.ts";
import type { Contents } from "../sbom/contents.ts";
import { collectContents, type Release } from "./collect_contents.ts";
import { SBOM } from "./names.ts";

/** Writes the document of the program in dist/, which has to be made right before. */
export async function writeSbom(
  release: Pick<Release, "version" | "time" | "packedBy">,
): Promise<void> {
  const contents = await collectContents({
    checkout: CHECKOUT,
    program: `${DIST}/kmeter`,
    ...release,
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
