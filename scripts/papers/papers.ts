/** The man page and the shells' completions. */

import { runCommand } from "../compile/run_command.ts";

const CHECKOUT = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");

/** Writes kmeter.1, kmeter.bash, kmeter.zsh and kmeter.fish into a folder. */
export async function writePapers(folder: string): Promise<void> {
  const help = await runCommand([`${CHECKOUT}/scripts/kmeter`, "--help"]);
  const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name).join(" ");
  const papers = {
    "kmeter.1": `.TH KMETER 1\n.nf\n${
      help.replaceAll("\\", "\\e").replaceAll(/^\./gm, "\\&.")
    }.fi\n`,
    "kmeter.bash": `complete -W "${commands}" kmeter\n`,
    "kmeter.zsh": `#compdef kmeter\ncompadd ${commands}\n`,
    "kmeter.fish": `complete -c kmeter -n __fish_use_subcommand -a "${commands}"\n`,
  };
  for (const [name, text] of Object.entries(papers)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
}
