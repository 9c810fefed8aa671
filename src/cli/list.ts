/** `kmeter list`. */

import { builtinNames, readGadgetFiles } from "../engine/mod.ts";
import { parseMetadata } from "../gadget/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { parseFlags, refuseArguments, refuseUnknownFlags } from "./flags.ts";
import { writeOutput } from "./output.ts";

export const listCommand: CommandBody = {
  usage: "",
  flags: [HELP_FLAG],
  run(args) {
    const flags = parseFlags(args, this.flags);
    refuseUnknownFlags(flags, this.flags);
    refuseArguments(flags, "list");
    const names = builtinNames();
    const width = Math.max(...names.map((name) => name.length));
    for (const name of names) {
      const { metadataText, metadataFile } = readGadgetFiles(name);
      const { description } = parseMetadata(metadataText ?? "", metadataFile);
      writeOutput(`${name.padEnd(width)}  ${description}\n`);
    }
    return 0;
  },
};
