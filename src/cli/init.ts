/** `kmeter init NAME`: a folder with a gadget to begin with. */

import { listAssets, readAsset } from "../assets/mod.ts";
import { builtinNames } from "../engine/mod.ts";
import { UsageError } from "../errors.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { parseFlags, refuseUnknownFlags } from "./flags.ts";
import { writeOutput } from "./output.ts";

const FLAGS = [HELP_FLAG];

/** Folder of the templates among the assets; `@NAME@` in them stands for the gadget's name. */
const TEMPLATE = "gadgets/template";
const TEMPLATE_SUFFIX = ".in";

export const initCommand: CommandBody = {
  usage: "NAME",
  details:
    "The gadget counts programs that are started. NAME may be a path: its last part is the\n" +
    "gadget's name.",
  flags: FLAGS,
  run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    const [path, more] = flags.positionals;
    if (path === undefined) {
      throw new UsageError("kmeter init needs a name", { hint: "kmeter init my_gadget" });
    }
    if (more !== undefined) {
      throw new UsageError(`kmeter init takes one name, and got "${path}" and "${more}"`, {
        hint: `kmeter init ${path}`,
      });
    }
    const folder = path.replace(/(?<=.)\/+$/, "");
    const files = writeTemplate(folder, gadgetNameOf(folder));
    const shown = quoteForShell(folder);
    writeOutput(
      `made ${folder}: ${files.join(", ")}\n\nNext:\n  kmeter build ${shown}\n` +
        `  sudo kmeter run ${shown} --metrics\n`,
    );
    return 0;
  },
};

/**
 * The gadget's name: the last part of a path.
 * @throws UsageError if it is no identifier, or a built-in's: `kmeter run` would start that.
 */
export function gadgetNameOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
    throw new UsageError(`Cannot name a gadget "${name}"`, {
      hint: "use letters, digits and underscores, and begin with a letter",
    });
  }
  if (builtinNames().includes(name)) {
    throw new UsageError(`Cannot name a gadget "${name}": a built-in has that name`, {
      hint: `choose another name, such as my_${name}`,
    });
  }
  return name;
}

/**
 * Writes the files of a new gadget: all, or none that stays.
 * @returns their names.
 * @throws UsageError if the folder is in use, or cannot be written.
 */
export function writeTemplate(folder: string, name: string): string[] {
  const begun: string[] = [];
  try {
    Deno.mkdirSync(folder, { recursive: true });
    requireEmpty(folder);
    return listAssets(TEMPLATE).map((asset) => {
      const file = asset.slice(TEMPLATE.length + 1, -TEMPLATE_SUFFIX.length);
      begun.push(file);
      const text = new TextDecoder().decode(readAsset(asset)).replaceAll("@NAME@", name);
      Deno.writeTextFileSync(`${folder}/${file}`, text, { createNew: true });
      return file;
    });
  } catch (cause) {
    for (const file of begun) removeIfThere(`${folder}/${file}`);
    if (cause instanceof UsageError || !(cause instanceof Error)) throw cause;
    const reason = cause.message.replace(/: \w+ '.*$/, "");
    throw new UsageError(`Cannot make "${folder}": ${reason}`, {
      cause,
      hint: "choose a place that does not exist yet, where there is room and where you may write",
    });
  }
}

function removeIfThere(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function requireEmpty(folder: string): void {
  const [entry] = Deno.readDirSync(folder);
  if (entry === undefined) return;
  throw new UsageError(`Cannot make "${folder}": it exists, and holds ${entry.name}`, {
    hint: "choose another name, or remove the folder",
  });
}

function quoteForShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
