/**
 * Writes the manual page to a file, else to standard output.
 *
 * Usage: deno run --allow-all scripts/gen_man_page.ts [FILE]
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { CHECKOUT } from "./compile/compile.ts";
import { sourceTime } from "./compile/describe_version.ts";
import { manPage } from "./papers/man_page.ts";
import { PAPERS_HINT } from "./papers/papers.ts";

async function writeManPage(file: string | undefined): Promise<void> {
  const timeS = await sourceTime(CHECKOUT, Deno.env.get("SOURCE_DATE_EPOCH"));
  const page = await manPage({ timeS });
  if (file !== undefined) await Deno.writeTextFile(file, page);
  else await new Blob([page]).stream().pipeTo(Deno.stdout.writable);
}

if (import.meta.main) {
  try {
    await writeManPage(Deno.args[0]);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    console.error(PAPERS_HINT);
    Deno.exit(1);
  }
}
