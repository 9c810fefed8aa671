/**
 * Writes kmeter's papers to dist/, beside the packed program: the manual page and completions of shells.
 *
 * Usage: deno task papers
 */

import { runCommand } from "../compile/run_command.ts";
import { completionFor, SHELLS } from "./completions.ts";
import { manPage } from "./man_page.ts";

const CHECKOUT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");

/**
 * Writes kmeter.1, kmeter.bash, kmeter.zsh and kmeter.fish to a folder, which is made if it is not there.
 * The same commit gives the same bytes.
 */
export async function writePapers(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const timeS = await sourceTimeS();
  await Deno.writeTextFile(`${folder}/kmeter.1`, manPage({ timeS }));
  for (const shell of SHELLS) {
    await Deno.writeTextFile(`${folder}/kmeter.${shell}`, completionFor(shell));
  }
}

/**
 * When the sources were last changed, in seconds since 1970: SOURCE_DATE_EPOCH, else the last commit.
 * Throws: Error if there is neither, or the variable is no number.
 */
export async function sourceTimeS(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH") ?? "";
  const text = given !== ""
    ? given
    : await runCommand(["git", "log", "-1", "--format=%ct"], { cwd: CHECKOUT });
  if (/^\d+\s*$/.test(text)) return Number(text);
  throw new Error(`SOURCE_DATE_EPOCH "${text}": wanted seconds since 1970`);
}

if (import.meta.main) await writePapers(`${CHECKOUT}/dist`);
