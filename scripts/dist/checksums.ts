/** Lists of hashes as `sha256sum --check` takes them. */

import { createHash } from "node:crypto";

/** Hexadecimal digest of a file. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

/** One line for each file, in the order of their names, which are relative to the folder. */
export async function formatChecksums(folder: string, names: readonly string[]): Promise<string> {
  let text = "";
  for (const name of names.toSorted()) text += `${await sha256Of(`${folder}/${name}`)}  ${name}\n`;
  return text;
}
