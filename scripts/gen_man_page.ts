/**
 * Writes the manual page to a file, else to standard output.
 *
 * Usage: deno run --allow-all scripts/gen_man_page.ts [FILE]
 */

import { manPage } from "./papers/man_page.ts";
import { sourceTimeS } from "./papers/papers.ts";

if (import.meta.main) {
  const page = manPage({ timeS: await sourceTimeS() });
  const [file] = Deno.args;
  if (file !== undefined) await Deno.writeTextFile(file, page);
  else await new Blob([page]).stream().pipeTo(Deno.stdout.writable);
}
