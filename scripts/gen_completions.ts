/**
 * Prints the completions of a shell.
 *
 * Usage: deno run --allow-all scripts/gen_completions.ts bash|zsh|fish
 */
// deno-lint-ignore-file no-console -- a command for a person, not part of kmeter

import { completionFor, SHELLS } from "./papers/completions.ts";

if (import.meta.main) {
  const shell = SHELLS.find((candidate) => candidate === Deno.args[0]);
  if (shell === undefined || Deno.args.length > 1) {
    console.error(`error: wanted one shell, and got "${Deno.args.join(" ")}"`);
    console.error(`hint: shells: ${SHELLS.join(", ")}`);
    Deno.exit(2);
  }
  await new Blob([await completionFor(shell)]).stream().pipeTo(Deno.stdout.writable);
}
