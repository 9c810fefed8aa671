/**
 * Writes kmeter's papers to dist/, beside the packed program: the manual page and completions of shells.
 *
 * Usage: deno task papers
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { CHECKOUT, DIST } from "../compile/compile.ts";
import { sourceTime } from "../compile/describe_version.ts";
import { completionFor, SHELLS } from "./completions.ts";
import { manPage } from "./man_page.ts";

/** What to say with an error of what makes the papers. */
export const PAPERS_HINT =
  "hint: this needs the built gadgets (scripts/setup), and a clone of the repository or SOURCE_DATE_EPOCH";

/**
 * Writes kmeter.1, kmeter.bash, kmeter.zsh and kmeter.fish to a folder, which is made if it is not there.
 * The same commit gives the same bytes.
 */
export async function writePapers(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const timeS = await sourceTime(CHECKOUT, Deno.env.get("SOURCE_DATE_EPOCH"));
  await Deno.writeTextFile(`${folder}/kmeter.1`, await manPage({ timeS }));
  for (const shell of SHELLS) {
    await Deno.writeTextFile(`${folder}/kmeter.${shell}`, await completionFor(shell));
  }
}

if (import.meta.main) {
  try {
    await writePapers(DIST);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    console.error(PAPERS_HINT);
    Deno.exit(1);
  }
}
