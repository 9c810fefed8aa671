/** `kmeter version`. */

import { libbpfVersion } from "../../ffi/mod.ts";
import { type Command, HELP_FLAG } from "./command.ts";
import { parseFlags, refuseArguments, refuseUnknownFlags } from "./flags.ts";
import { writeOutput } from "./output.ts";

/** Version of kmeter; the same as in deno.json, which a test checks. */
export const VERSION = "0.1.0";

export const versionCommand: Command = {
  name: "version",
  usage: "",
  summary: "versions of kmeter and of what it runs on",
  flags: [HELP_FLAG],
  run(args) {
    const flags = parseFlags(args, this.flags);
    refuseUnknownFlags(flags, this.flags);
    refuseArguments(flags, this.name);
    writeOutput(
      `kmeter ${VERSION}\nlibbpf ${libbpfVersion()}\ndeno ${Deno.version.deno}\n` +
        `kernel ${Deno.osRelease()} ${Deno.build.arch}\n`,
    );
    return 0;
  },
};
